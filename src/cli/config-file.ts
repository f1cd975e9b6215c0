import { createReadStream } from "node:fs";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { readText } from "./read-text.ts";

/** What the server reads of a file. */
const CONFIG_CHARS_MAX = 256 * 1024;

/**
 * The text of a configuration; `-` is standard input.
 * @throws CliError saying why it cannot be read
 */
export async function readConfig(io: Io, file: string): Promise<string> {
  if (file === "-") return io.stdin.readAll(CONFIG_CHARS_MAX);
  try {
    return await readText(createReadStream(file), CONFIG_CHARS_MAX);
  } catch (error) {
    throw new CliError(EXIT.failed, `Cannot read ${file}: ${reason(error as NodeJS.ErrnoException)}.`);
  }
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "there is no such file";
  if (error.code === "EISDIR") return "it is a folder";
  if (error.code === "EACCES") return "you may not read it";
  return error.message;
}
