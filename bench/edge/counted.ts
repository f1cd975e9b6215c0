import { setTimeout as delay } from "node:timers/promises";
import type { EdgeCounts } from "../../test/support/edge/counts.ts";
import type { EdgePlane } from "../../test/support/edge/edge-plane.ts";

/** What something cost, in the units that the platform charges for. */
export interface Cost {
  /** Requests from outside, cron included. */
  outside: number;
  /** Requests of the Worker and the objects among each other. */
  among: number;
  database: number;
  /** Messages that came over links. */
  messages: number;
  /** Alarms that rang. */
  alarms: number;
  /** Values and alarms written to the objects' storage. */
  writes: number;
}

/** Counts that stand still for this long have come to rest. */
const QUIET_MS = 250;
/** Counts that do not come to rest for this long never will. */
const UNQUIET_MS_MAX = 30_000;

/** What was counted up to a moment. */
export interface Mark {
  counts: EdgeCounts;
  database: number;
}

/**
 * What a piece of work costs, from its beginning until nothing follows from it any more.
 * @param watchMs how long it is looked at least, for what comes of it later
 */
export async function costOf(plane: EdgePlane, work: () => Promise<unknown>, watchMs = 0): Promise<Cost> {
  const before = await settled(plane);
  await work();
  await delay(watchMs);
  return costBetween(before, await settled(plane));
}

export async function markOf(plane: EdgePlane): Promise<Mark> {
  return { counts: await plane.counts(), database: plane.database.bodies.length };
}

export function costBetween(before: Mark, after: Mark): Cost {
  const seen = (matches: (name: string) => boolean) => sum(after.counts, matches) - sum(before.counts, matches);
  return {
    outside: seen((name) => name === "worker.fetch" || name === "worker.scheduled"),
    among: seen((name) => name.includes(">")),
    database: after.database - before.database,
    messages: seen((name) => name === "link.message"),
    alarms: seen((name) => name.endsWith(".alarm")),
    writes: seen((name) => name.endsWith(".write") || name.endsWith(".setAlarm")),
  };
}

/** Each figure of a cost for one of so many. */
export function perOne(cost: Cost, count: number): Cost {
  const entries = Object.entries(cost).map(([name, value]) => [name, Number((value / count).toFixed(2))]);
  return Object.fromEntries(entries) as unknown as Cost;
}

async function settled(plane: EdgePlane): Promise<Mark> {
  let before = await markOf(plane);
  for (let waitedMs = 0; waitedMs < UNQUIET_MS_MAX; waitedMs += QUIET_MS) {
    await delay(QUIET_MS);
    const now = await markOf(plane);
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
  throw new Error(`it does not come to rest: ${JSON.stringify(before)}`);
}

function sum({ calls }: EdgeCounts, matches: (name: string) => boolean): number {
  return Object.entries(calls).reduce((all, [name, value]) => (matches(name) ? all + value : all), 0);
}
