import { RETURN_AFTER_START_MS } from "../limits.ts";
import type { ProjectState } from "../project-state.ts";
import type { Millis } from "../state.ts";

/**
 * Until when hosts of a fleet were cut off, if they were: until this controller began to listen, until most of the fleet
 * was heard of again, and after that for as long as others come back that were cut off with them. A server that is slow
 * takes thousands of hosts in one after the other, and the last of them waits for all others.
 *
 * @param thawedAt the fleet's
 */
export function cutOffUntil(state: ProjectState, fleet: string, thawedAt: Millis | null): Millis {
  return Math.max(state.listeningSince, thawedAt ?? 0, state.returnedAt.get(fleet) ?? 0);
}

/**
 * Remembers that a host is back, if it was one of those that were cut off. Each counts once, so that hosts that come and
 * go for other reasons put nothing off.
 */
export function noteReturn(state: ProjectState, id: string, now: Millis): void {
  const host = state.tables.host.byId.get(id);
  if (!host) return;
  const thawedAt = state.tables.fleet.byId.get(host.fleet)?.thawedAt ?? null;
  const began = Math.max(state.listeningSince, thawedAt ?? 0);
  const wasSilent = host.silentSince !== null && host.silentSince <= began;
  const isHeardFirst = !state.observed.has(id) && host.joinedAt < state.listeningSince;
  const isInTime = now < cutOffUntil(state, host.fleet, thawedAt) + RETURN_AFTER_START_MS;
  if (isInTime && (wasSilent || isHeardFirst)) state.returnedAt.set(host.fleet, now);
}
