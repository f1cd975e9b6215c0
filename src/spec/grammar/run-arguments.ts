import { escapeTemplate } from "./interpolation.ts";

/** Escaped dollars are matched so as to be passed over: in `$${{ run.args }}` the `$$` is a dollar and no reference. */
const ESCAPE_OR_ARGUMENTS = /\$\$|\$\{\{\s*run\.args\s*\}\}/g;

/** The commands with the given arguments for `${{ run.args }}`; a command that is nothing without any is left out. */
export function fillArguments(commands: readonly string[], args: readonly string[]): string[] {
  const filled = writeArguments(args);
  return commands
    .map((command) => command.replace(ESCAPE_OR_ARGUMENTS, (found) => (found === "$$" ? found : filled)))
    .filter((command) => command.trim() !== "");
}

/** How many characters the commands have with the arguments in them. */
export function filledChars(commands: readonly string[], args: readonly string[]): number {
  const filled = writeArguments(args).length;
  return commands.reduce((sum, command) => {
    const references = (command.match(ESCAPE_OR_ARGUMENTS) ?? []).filter((found) => found !== "$$");
    return sum + command.length + references.length * filled;
  }, 0);
}

/** As words of the shell, and so that no dollar of theirs is taken for a reference. */
function writeArguments(args: readonly string[]): string {
  return escapeTemplate(args.map(quoteForShell).join(" "));
}

/** A word that the shell reads as this very text. */
function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
