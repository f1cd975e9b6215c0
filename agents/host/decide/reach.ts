import type { DesiredWorker } from "../../../src/wire/index.ts";
import {
  HEAR_INTERVAL_MS,
  REACH_FAILURES_MIN,
  REACH_INTERVAL_MS,
  REACH_LOST_MS,
  REACH_RETRY_INTERVAL_MS,
} from "./timing.ts";
import type { Turn } from "./turn.ts";
import type { Instant, Memory, ReachMemory } from "./types.ts";

/**
 * Connects to every worker of this host's routers, about once a second each, now and then asks for an answer, and
 * forgets those that are no longer wanted.
 */
export function askReach(turn: Turn, memory: Memory, urls: Set<string>): void {
  for (const url of Object.keys(memory.reach)) if (!urls.has(url)) delete memory.reach[url];
  for (const url of urls) {
    memory.reach[url] ??= newReach(turn.now);
    const reach = memory.reach[url];
    if (reach.failures >= REACH_FAILURES_MIN) turn.due(reach.since + REACH_LOST_MS);
    turn.ask(reach, { kind: "reach", url });
    turn.ask(reach.hearing, { kind: "hear", url });
  }
}

export function noteReach(
  memory: Memory,
  answer: { kind: "reached" | "heard"; url: string; ok: boolean },
  now: Instant,
): void {
  const reach = memory.reach[answer.url];
  if (reach === undefined) return;
  if (answer.kind === "heard") {
    reach.hearing = { waiting: false, nextAt: now + HEAR_INTERVAL_MS, silent: !answer.ok };
    return;
  }
  reach.waiting = false;
  reach.connects = answer.ok;
  // It was begun when it was due; the next one is due so long after that, or now.
  reach.nextAt = Math.max(now, reach.nextAt + (answer.ok ? REACH_INTERVAL_MS : REACH_RETRY_INTERVAL_MS));
  reach.failures = answer.ok ? 0 : reach.failures + 1;
  if (answer.ok) reach.since = now;
}

/**
 * The URLs of the workers that a router may send to: those that can be connected to and answer. Where more than half of
 * a role are silent, none is taken for frozen: they are busy, or it is this host that does not hear, and sending
 * everything to the few that are left would silence those too.
 */
export function soundWorkers(workers: DesiredWorker[], memory: Memory["reach"], now: Instant): Set<string> {
  const reached = workers.filter(({ url }) => isReached(memory[url], now));
  const isSilent = ({ url }: DesiredWorker) => memory[url]?.hearing.silent === true;
  const roles = new Map<string, { reached: number; silent: number }>();
  for (const worker of reached) {
    const count = roles.get(worker.role) ?? { reached: 0, silent: 0 };
    roles.set(worker.role, count);
    count.reached += 1;
    if (isSilent(worker)) count.silent += 1;
  }
  const mostAreSilent = (role: string) => {
    const { reached, silent } = roles.get(role) ?? { reached: 0, silent: 0 };
    return silent * 2 > reached;
  };
  const sound = reached.filter((worker) => !isSilent(worker) || mostAreSilent(worker.role));
  return new Set(sound.map(({ url }) => url));
}

function newReach(now: Instant): ReachMemory {
  return {
    waiting: false,
    nextAt: now,
    since: now,
    failures: 0,
    connects: false,
    hearing: { waiting: false, nextAt: now, silent: false },
  };
}

/** A worker counts as reached until attempts, more than one, have failed for nearly two seconds. */
function isReached(reach: ReachMemory | undefined, now: Instant): boolean {
  return reach === undefined || reach.failures < REACH_FAILURES_MIN || now - reach.since < REACH_LOST_MS;
}
