import { escapeTemplate } from "./interpolation.ts";

/** Escaped dollars are matched so as to be passed over: in `$${{ run.args }}` the `$$` is a dollar and no reference. */
const ESCAPE_OR_ARGUMENTS = /\$\$|\$\{\{\s*run\.args\s*\}\}/g;

/** The commands with the given arguments for `${{ run.args }}`; a command that is nothing without any is left out. */
export function fillArguments(commands: readonly string[], args: readonly string[]): string[] {
  const filled = escapeTemplate(args.map(quoteForShell).join(" "));
  return commands
    .map((command) => command.replace(ESCAPE_OR_ARGUMENTS, (found) => (found === "$$" ? found : filled)))
    .filter((command) => command.trim() !== "");
}

/** A word that the shell reads as this very text. */
function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
