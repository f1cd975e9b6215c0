/**
 * One shell script of a group's commands: each runs only if those before it succeeded. A command that puts itself into
 * the background with a final `&` is wrapped in braces, since `a & && b` is not shell. Line ends around a command are
 * dropped: `&&` cannot begin a line.
 */
export function joinCommands(commands: string[]): string {
  return commands
    .map((command) => command.trim())
    .filter((command) => command !== "")
    .map((command) => (command.endsWith("&") ? `{ ${command} }` : command))
    .join(" && ");
}
