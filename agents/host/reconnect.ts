/** A lost server is dialled eagerly for this long: most often it was only restarted. */
const EAGER_MS = 30_000;
const EAGER_PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;

/** A host that syncs without a link needs none at once: a network that lets none through seldom changes its mind. */
export const PAUSE_UNLINKED_MS_MAX = 5 * 60_000;

/**
 * The pause before the next dialling: 0.5-1 s for the first 30 s without a link, then growing to 30 s. Spread at random,
 * so that the hosts of a restarted server do not all come at once.
 *
 * @param lostForMs how long there has been no link
 * @param random from 0 to 1
 * @param pauseMsMax where it need not grow to 30 s only
 */
export function reconnectDelayMs(lostForMs: number, random: number, pauseMsMax = PAUSE_MS_MAX): number {
  const pause = lostForMs < EAGER_MS ? 2 * EAGER_PAUSE_MS : Math.min(pauseMsMax, lostForMs / 10);
  return pause / 2 + (pause / 2) * random;
}
