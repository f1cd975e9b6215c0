import { REACH_FAILURES_MIN, REACH_INTERVAL_MS, REACH_LOST_MS } from "./timing.ts";
import type { Turn } from "./turn.ts";
import type { Instant, Memory, ReachMemory } from "./types.ts";

/** Connects to every worker of this host's routers, once a second each, and forgets those that are no longer wanted. */
export function askReach(turn: Turn, memory: Memory, urls: Set<string>): void {
  for (const url of Object.keys(memory.reach)) if (!urls.has(url)) delete memory.reach[url];
  for (const url of urls) {
    memory.reach[url] ??= { waiting: false, nextAt: turn.now, since: turn.now, failures: 0 };
    const reach = memory.reach[url];
    if (reach.failures >= REACH_FAILURES_MIN) turn.due(reach.since + REACH_LOST_MS);
    turn.ask(reach, { kind: "reach", url });
  }
}

export function noteReach(memory: Memory, answer: { url: string; ok: boolean }, now: Instant): void {
  const reach = memory.reach[answer.url];
  if (reach === undefined) return;
  reach.waiting = false;
  reach.nextAt = now + REACH_INTERVAL_MS;
  reach.failures = answer.ok ? 0 : reach.failures + 1;
  if (answer.ok) reach.since = now;
}

/** A worker counts as reached until attempts, more than one, have failed for two seconds. */
export function isReached(reach: ReachMemory | undefined, now: Instant): boolean {
  return reach === undefined || reach.failures < REACH_FAILURES_MIN || now - reach.since < REACH_LOST_MS;
}
