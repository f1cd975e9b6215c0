import { fstatSync, writeFileSync } from "node:fs";
import { isatty } from "node:tty";

/** Of what a log's reader has not taken so much waits for it; what comes then is lost. */
const UNREAD_BYTES_MAX = 1024 * 1024;

const STDERR = 2;

let write: ((line: string) => void) | null = null;

/**
 * Writes a line of a program's log on standard error, or loses it. Whoever reads the log may end or stand still, and the
 * disk that holds it may be full: none of this may end a program that others count on, as errors of Node's own stream
 * would, or hold it up.
 * @param line with its line end
 */
export function writeLogLine(line: string): void {
  write ??= readerMayEnd() ? writeToReader() : writeToFile;
  write(line);
}

function readerMayEnd(): boolean {
  const stat = fstatSync(STDERR);
  return stat.isFIFO() || stat.isSocket() || isatty(STDERR);
}

/** Not through Node's stream, which writes nothing any more after its first error: a full disk has room again some day. */
function writeToFile(line: string): void {
  try {
    writeFileSync(STDERR, line);
  } catch {
    // There is no other place where it could be said.
  }
}

function writeToReader(): (line: string) => void {
  process.stderr.on("error", () => {});
  return (line) => {
    if (process.stderr.writableLength < UNREAD_BYTES_MAX) process.stderr.write(line);
  };
}
