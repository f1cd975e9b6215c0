import type { PeerList, PeersReport } from "../../../src/wire/index.ts";
import type { Instant } from "../decide/types.ts";

/** Failed looks in a row until a port is held not to be reached: a packet that was lost holds nothing. */
const FAILURES_TO_HOLD = 3;
/** Looks that succeed in a row until it is held to be reached again: one answer between two losses heals nothing. */
const PASSES_TO_FREE = 2;
/** How soon one is looked at again while it is in doubt: with the time-outs, it is held after seven seconds. */
const DOUBT_MS = 2_000;
/** How often what is held not to be reached is looked at: whoever mends a firewall looks whether it has helped. */
const HELD_MS = 5_000;

/** One port of one host, as it is tried. */
export interface Target {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  nextAt: Instant;
  /** Looks in a row that say other than what is held; 0: none is in doubt. */
  doubts: number;
  /** The last look that told anything reached it; false before the first. */
  reached: boolean;
  /** Why it is held not to be reached, as it was first said; null = it is not. */
  held: string | null;
}

/** All that is remembered of them, by `host address port`. */
export type Targets = Map<string, Target>;

/** Brings the targets in line with a list: what stays in it keeps what is known of it, what is new is due. */
export function followList(before: Targets, { hosts }: PeerList, now: Instant): Targets {
  const targets: Targets = new Map();
  for (const { host, address, ports } of hosts) {
    for (const port of ports) {
      const key = `${host} ${address} ${port}`;
      const fresh = { host, address, port, nextAt: now, doubts: 0, reached: false, held: null };
      targets.set(key, before.get(key) ?? fresh);
    }
  }
  return targets;
}

/**
 * Takes in what came of one look.
 * @param why in words it was not reached; null = it was; undefined = the look tells nothing, for a reason of our own
 */
export function noteLook(target: Target, why: string | null | undefined, everyMs: number, now: Instant): void {
  if (why === undefined) {
    target.nextAt = now + HELD_MS;
    return;
  }
  target.reached = why === null;
  const isNews = (why === null) !== (target.held === null);
  target.doubts = isNews ? target.doubts + 1 : 0;
  if (target.doubts >= (why === null ? PASSES_TO_FREE : FAILURES_TO_HOLD)) {
    target.held = why;
    target.doubts = 0;
  }
  if (target.doubts > 0) target.nextAt = now + DOUBT_MS;
  else target.nextAt = now + (target.held === null ? everyMs : Math.min(HELD_MS, everyMs));
}

/** What a report says of the hosts that are not reached, in the order of the list. It names no time and no count. */
export function describeUnreached(targets: Targets): PeersReport["unreached"] {
  const hosts = new Map<string, Target[]>();
  for (const target of targets.values()) hosts.set(target.host, [...(hosts.get(target.host) ?? []), target]);
  return [...hosts].flatMap(([host, all]) => {
    const held = all.filter((target) => target.held !== null);
    const [first] = held;
    if (!first) return [];
    return {
      host,
      address: first.address,
      ports: held.map(({ port }) => port),
      // A port that has just come into the list is not known to be any better.
      whole: all.every(({ held: why, reached }) => why !== null || !reached),
      why: first.held ?? "",
    };
  });
}
