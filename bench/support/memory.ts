import { readFileSync } from "node:fs";

/** What a process holds, in MB (1,000,000 bytes). */
export interface Memory {
  /** All that is in memory for it, which counts what it shares with others: the program itself as far as it was read. */
  residentMb: number;
  /** What is its alone, and would be free if it ended. */
  ownMb: number;
}

/** @throws Error when the process is gone or is not ours to read */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mb = (key: string) => (Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1_024) / 1e6;
  return { residentMb: mb("Rss"), ownMb: mb("Private_Clean") + mb("Private_Dirty") };
}
