import type { Client } from "@libsql/client";
import { DrizzleQueryError } from "drizzle-orm/errors";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { drizzle } from "drizzle-orm/libsql/web";
import { StoreError } from "./errors.ts";
import { UnclearOutcome } from "./types.ts";

/** What retrying needs from outside, so that a test decides both. */
export interface Pace {
  /** A number from 0 up to 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** Real time and chance, which is what every caller but a test wants. */
export const REAL_PACE: Pace = {
  random: Math.random,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * A database and the rules for talking to it: what is locked is tried again, and every failure is told as one of
 * "nothing was done" (StoreError) and "nobody knows" (UnclearOutcome).
 */
export interface Connection {
  client: Client;
  orm: LibSQLDatabase;
  /** @throws StoreError. @param what completes "could not ...", e.g. `read the journal of main` */
  reading<T>(what: string, run: () => PromiseLike<T>): Promise<T>;
  /** Like `reading`. @throws UnclearOutcome too, when `run` may have been applied */
  writing<T>(what: string, run: () => PromiseLike<T>): Promise<T>;
  /** Lets what else has come in be heard: the embedded database answers at once, and long reads would follow one another. */
  pause(): Promise<void>;
}

/**
 * A lock is held for one short batch, so a few tries are plenty: twelve with these waits last from one to two seconds.
 * Most of the waiting is done here and not by SQLite, whose own would block the whole process.
 */
const BUSY_TRIES_MAX = 12;
const BUSY_WAIT_FIRST_MS = 2;
const BUSY_WAIT_MAX_MS = 500;

export function connect(client: Client, pace: Pace): Connection {
  return {
    client,
    // This build of the driver has no Node imports; it works with whichever client it is given.
    orm: drizzle(client),
    reading: (what, run) =>
      patiently(client, pace, what, run).catch((error: unknown) => {
        if (error instanceof StoreError) throw error;
        throw new StoreError("unavailable", `Could not ${what}: ${text(error)}`, { cause: error });
      }),
    writing: (what, run) =>
      patiently(client, pace, what, run).catch((error: unknown) => {
        if (error instanceof StoreError) throw error;
        throw new UnclearOutcome(`It is not known whether this was done: ${what}. ${text(error)}`, { cause: error });
      }),
    pause: () => pace.sleep(0),
  };
}

/** Runs until the database is not locked. Fails with a StoreError, or with the cause when the fate is not known. */
export async function patiently<T>(client: Client, pace: Pace, what: string, run: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    // Said here because the client over HTTP would say it with the same code as many another failure.
    if (client.closed) throw new StoreError("refused", `Could not ${what}: the store is closed.`);
    let failure: unknown;
    try {
      return await run();
    } catch (error) {
      failure = driverError(error);
    }
    const code = codeOf(failure);
    if (!code || !didNothing(code)) throw failure;
    // Closed under us by `renew` for another call, while the client itself is open.
    const wasRenewed = code === "CLIENT_CLOSED" && !client.closed;
    if (!isLocked(code) && !wasRenewed) {
      const kind = code === "SQLITE_FULL" ? "full" : code === "SQLITE_READONLY" ? "read_only" : "refused";
      throw new StoreError(kind, `Could not ${what}: ${text(failure)}`, { cause: failure });
    }
    if (attempt === BUSY_TRIES_MAX) {
      const message = `Could not ${what}: the database stayed locked by another process for ${attempt} tries.`;
      throw new StoreError("busy", message, { cause: failure });
    }
    if (isLocked(code)) await renew(client);
    const longest = Math.min(BUSY_WAIT_MAX_MS, BUSY_WAIT_FIRST_MS * 2 ** (attempt - 1));
    await pace.sleep(longest * (0.5 + pace.random() / 2));
  }
}

/**
 * The embedded driver leaves a statement that met a lock unfinished, and until it is collected as garbage no commit
 * succeeds on its connection. So the connection is replaced; there is one, and its settings are the file's own or the
 * driver's defaults.
 */
async function renew(client: Client): Promise<void> {
  if (client.protocol === "file" && !client.closed) await client.reconnect();
}

/** Drizzle wraps the driver's error in one whose message lists the parameters; those must not reach a log. */
function driverError(error: unknown): unknown {
  return error instanceof DrizzleQueryError ? error.cause : error;
}

/** The driver's error classes differ from build to build; the code does not. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

function isLocked(code: string): boolean {
  return code === "SQLITE_BUSY" || code === "SQLITE_LOCKED";
}

/**
 * SQLite answers after it has rolled back; the two codes of the client are given before anything is sent. An I/O error
 * can come from the commit itself, after its pages were written, and everything else from the network.
 */
function didNothing(code: string): boolean {
  if (code === "SQLITE_IOERR") return false;
  return code.startsWith("SQLITE_") || code === "TRANSACTION_ACTIVE" || code === "CLIENT_CLOSED";
}

/** With what is behind it: that a fetch failed says nothing, that the connection was refused does. */
export function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const behind = error.cause instanceof Error ? text(error.cause) : "";
  return error.message.includes(behind) ? error.message : `${error.message} (${behind})`;
}
