import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * A job's log is a row of numbered segments. Each line of output is one record, `<unix ms> <attempt> <text>`: the time
 * so that its age can be told, the attempt since the log goes on over restarts. The oldest segment is removed before a
 * new one is begun, so the segments together never exceed the job's bound.
 */
export const LOG_SEGMENTS_MAX = 4;

/** A segment holds at least some pieces of output (see log-writer.ts), so that rotating is not all it does. */
export const LOG_SEGMENT_BYTES_MIN = 512 * 1024;

export interface LogRecord {
  atMs: number;
  attempt: number;
  text: string;
}

export function recordPrefix(atMs: number, attempt: number): string {
  return `${atMs} ${attempt} `;
}

/** @returns null for what is no record, e.g. the rest of one that a power cut left. */
export function parseRecord(line: string): LogRecord | null {
  const match = /^(\d{1,15}) (\d{1,9}) /.exec(line);
  if (match === null) return null;
  return { atMs: Number(match[1]), attempt: Number(match[2]), text: line.slice(match[0].length) };
}

export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.log`);
}

/** Numbers of the segments on disk, oldest first; none when the folder is gone. */
export function listSegments(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => /^\d{8,}\.log$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}
