import { appendFileSync } from "node:fs";
import type { Settings } from "./settings.ts";

/** What a worker notes of each request, for tests to read: one line of JSON each. */
export interface RequestRecord {
  role: "prefill" | "decode" | "worker";
  id: string;
  /** The 63-bit number as text; null outside of prefill/decode. */
  room: string | null;
  promptHash: string | null;
  /** The worker that took the other half, as `host:port`: a decode's own port, a prefill's bootstrap port. */
  peer: string | null;
  /** `aborted`: the client left. */
  outcome: "success" | "aborted" | "failed";
  /** Why it failed, else null. */
  error: string | null;
  tokens: number;
  stream: boolean;
}

/**
 * Writes records where `--sim-record` says. Each is on disk before its request ends, also if the process is killed.
 * @throws Error when the file cannot be written to
 */
export function recorder(settings: Settings): (record: Omit<RequestRecord, "role">) => void {
  const file = settings.record;
  if (file === null) return () => {};
  appendFileSync(file, "");
  const role = settings.mode === "null" ? "worker" : settings.mode;
  return (record) => appendFileSync(file, `${JSON.stringify({ role, ...record } satisfies RequestRecord)}\n`);
}
