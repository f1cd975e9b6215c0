/** How soon an agent comes back by itself; over a link it comes at once when something changed at either end. */
const LINKED_MS = { withJobs: 10_000, idle: 120_000 };
/** Without a link nobody can tell it that something changed here, so this is how long a change takes to reach it. */
const UNLINKED_MS = { withJobs: 2_000, idle: 10_000 };

/**
 * What a busy server asks for at most. A host with a link is known to be there by its link; one without is silent only
 * after what it was told, and has to be found lost within 45 s all the same.
 */
const BUSY_MS_MAX = { linked: 60_000, unlinked: 20_000 };

/**
 * Hosts stay away for this many times as long as their report had to wait for its turn. So however many they are and
 * however slow the server, reports wait for a fifth of the time between them at most, and come as fast as they are read.
 */
const WAITS = 4;

/**
 * When a host is to sync again, in ms.
 * @param linked whether it has a link
 * @param jobs how many it shall run
 * @param waitedMs how long its report waited for its turn
 */
export function nextSyncMs(linked: boolean, jobs: number, waitedMs: number): number {
  const rest = linked ? LINKED_MS : UNLINKED_MS;
  const busy = Math.min(WAITS * waitedMs, linked ? BUSY_MS_MAX.linked : BUSY_MS_MAX.unlinked);
  return Math.max(jobs > 0 ? rest.withJobs : rest.idle, busy);
}
