import { Readable } from "node:stream";
import type { LogLine } from "../../../../src/wire/index.ts";
import { readLog } from "./log-reader.ts";

/** What a report carries of an ended job's log. */
const TAIL_LINES_MAX = 40;
const TAIL_CHARS_MAX = 2048;

/** A job's log as newline-separated JSON `logLine`s. Ends without an error when `signal` aborts. */
export function streamLog(
  folder: string,
  replica: string,
  options: { tailLines: number; follow: boolean },
  signal: AbortSignal,
): Readable {
  async function* lines(): AsyncGenerator<string> {
    for await (const records of readLog(folder, options, signal)) {
      const now = Date.now();
      yield records
        .map(({ atMs, attempt, text }) => {
          const line: LogLine = { replica, ageMs: Math.max(0, now - atMs), attempt, text };
          return `${JSON.stringify(line)}\n`;
        })
        .join("");
    }
  }
  return Readable.from(lines(), { objectMode: false });
}

/** The last lines of an attempt. */
export async function tailText(folder: string, attempt: number): Promise<string> {
  const texts: string[] = [];
  const options = { tailLines: TAIL_LINES_MAX, follow: false };
  for await (const records of readLog(folder, options, new AbortController().signal)) {
    texts.push(...records.filter((record) => record.attempt === attempt).map((record) => record.text));
  }
  return texts.join("\n").slice(-TAIL_CHARS_MAX);
}
