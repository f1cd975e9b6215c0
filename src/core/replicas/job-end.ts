import type { JobEnd, JobReport } from "../../wire/index.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";

/** How a run of a job ended, or why there was none, for people. */
function describeEnd(end: JobEnd | null): string {
  if (end?.neverStarted) return `could not be started: ${lastLine(end)}`;
  if (end?.outOfMemory) return "out of memory";
  if (end?.signal) return `killed by ${end.signal}`;
  if (end && end.exitCode !== null) return `exit code ${end.exitCode}`;
  const words = lastLine(end);
  return `no exit code is known${words === "" ? "" : `; its last words: ${words}`}`;
}

/** Why a replica is given up whose job ended so often, the last time like this. */
export function describeEnds(times: number, end: JobEnd | null): string {
  const often = `${times} times within 5 minutes`;
  if (end?.neverStarted) return `it could not be started ${often}: ${lastLine(end)}`;
  return `it ended ${often}: ${describeEnd(end)}`;
}

/**
 * What to say of a job with which start it is, where it is not the first, and why there was another.
 * @param words what is said of it else
 */
export function withRestarts(words: string, { attempt, state, lastEnd }: JobReport): string {
  if (attempt <= 1) return words;
  // One that waits to be started again says itself how it ended.
  const before = state === "backoff" || lastEnd === null ? "" : `; the one before: ${describeEnd(lastEnd)}`;
  return `${words} (start ${attempt}${before})`.trim();
}

function lastLine(end: JobEnd | null): string {
  return (end?.tail.trimEnd().split("\n").at(-1) ?? "").slice(0, REASON_LENGTH_MAX);
}
