import { writeLogLine } from "../../src/stderr.ts";

/** From the least to the most important. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields are plain values that never hold a secret: no environment, no credential, no body. */
export type Log = (level: LogLevel, message: string, fields?: Record<string, string | number | boolean | null>) => void;

/** One JSON line for each entry on standard error, from this level up. */
export function logToStderr(least: LogLevel): Log {
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
    writeLogLine(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
  };
}

/** What went wrong, in one line. Undici puts the reason of a failed connection into the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  return "code" in error ? String(error.code) : error.name;
}
