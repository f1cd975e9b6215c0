/** Longer lines are cut: no person reads more, and a reader must be able to hold one. */
export const LOG_LINE_BYTES_MAX = 16 * 1024;

const CUT_MARK = " [line cut]";

/** What an interactive shell says first when it has no terminal; true of every job and of no use to anyone. */
const SHELL_NOISE = [
  /^bash: cannot set terminal process group \(-?\d+\): /,
  /^bash: no job control in this shell$/,
  /^bash: \[\d+: \d+ \(\d+\)\] tcsetattr: /,
  /^sh: \d+: can't access tty; job control turned off$/,
];

/** Lines of noise that one shell makes at most. */
export const SHELL_NOISE_MAX = SHELL_NOISE.length;

export function isShellNoise(line: string): boolean {
  return SHELL_NOISE.some((noise) => noise.test(line));
}

/** Progress bars return to the start of their line instead of ending it: each state that they show becomes a line. */
export function splitProgress(line: string): string[] {
  if (!line.includes("\r")) return [line];
  const shown = line.split("\r").filter((part) => part !== "");
  return shown.length === 0 ? [""] : shown;
}

/** @param line its bytes, as latin1: one character is one byte */
export function cutLine(line: string): string {
  return line.length > LOG_LINE_BYTES_MAX ? line.slice(0, LOG_LINE_BYTES_MAX) + CUT_MARK : line;
}
