import { escapeTemplate } from "./interpolation.ts";

/** Escaped dollars are matched so as to be passed over: in `$${{ run.args }}` the `$$` is a dollar and no reference. */
const ESCAPE_OR_ARGUMENTS = /\$\$|\$\{\{\s*run\.args\s*\}\}/g;

/** The commands with the given arguments for `${{ run.args }}`; a command that is nothing without any is left out. */
export function fillArguments(commands: readonly string[], args: readonly string[]): string[] {
  let filled: string | null = null;
  const fill = (found: string) => {
    if (found === "$$") return found;
    filled ??= writeArguments(args);
    return filled;
  };
  return commands
    .map((command) => command.replace(ESCAPE_OR_ARGUMENTS, fill))
    .filter((command) => command.trim() !== "");
}

/**
 * Whether the commands have at most so many characters with the arguments in them. The arguments are written out only
 * where they are short enough to matter: a large service may be given megabytes of them, and each group asks.
 */
export function fitsFilled(commands: readonly string[], args: readonly string[], charsMax: number): boolean {
  const written = commands.reduce((sum, { length }) => sum + length, 0);
  const references = countArguments(commands);
  if (references === 0) return written <= charsMax;
  if (args.reduce((sum, { length }) => sum + length, 0) > charsMax) return false;
  return written + references * writeArguments(args).length <= charsMax;
}

/** In how many places the arguments stand. */
export function countArguments(commands: readonly string[]): number {
  return commands.reduce((sum, command) => {
    const found = (command.match(ESCAPE_OR_ARGUMENTS) ?? []).filter((each) => each !== "$$");
    return sum + found.length;
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
