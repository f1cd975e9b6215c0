/** A lost server is dialled eagerly for this long: most often it was only restarted. */
const EAGER_MS = 30_000;
const EAGER_PAUSE_MS = 500;
/** With the 20 s that a try may take, less than a server that was started gives agents to come back. */
const PAUSE_MS_MAX = 25_000;

/** A host that syncs without a link needs none at once: a network that lets none through seldom changes its mind. */
export const PAUSE_UNLINKED_MS_MAX = 5 * 60_000;

/** A server that has many hosts to take in says when to come back; it never says longer. */
const TOLD_MS_MAX = 60_000;
/** And is believed so often in a row: by then there should have been room, so something else may be saying it. */
const TIMES_TOLD_MAX = 5;

/** Errors of a connection that nobody has taken. A request would find nobody either. */
const NOBODY_THERE = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** Whether a link could not be opened because there is no server now, and not because links are not let through. */
export function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && NOBODY_THERE.has(String(error.code));
}

/** What a `Retry-After` header says, in ms from now; null: nothing, or a date, which depends on two clocks. */
export function retryAfterMs(header: string | undefined): number | null {
  return /^\d{1,6}$/.test(header ?? "") ? Number(header) * 1_000 : null;
}

/**
 * The pause before dialling a server that said when to come back: then, or within the second after, since it counts in
 * whole ones.
 *
 * @param retryAfterMs what it said
 * @param times how often it has said so, in a row
 * @returns null when that was too often
 */
export function toldDelayMs(retryAfterMs: number, times: number, random: number): number | null {
  return times > TIMES_TOLD_MAX ? null : Math.min(retryAfterMs, TOLD_MS_MAX) + 1_000 * random;
}

/**
 * The pause before the next dialling: 0.5-1 s for the first 30 s without a link, then growing to 25 s. Spread at random,
 * so that the hosts of a restarted server do not all come at once.
 *
 * @param lostForMs how long there has been no link
 * @param random from 0 to 1
 * @param pauseMsMax where it may grow further
 */
export function reconnectDelayMs(lostForMs: number, random: number, pauseMsMax = PAUSE_MS_MAX): number {
  const pause = lostForMs < EAGER_MS ? 2 * EAGER_PAUSE_MS : Math.min(pauseMsMax, lostForMs / 10);
  return pause / 2 + (pause / 2) * random;
}
