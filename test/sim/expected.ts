import { JOB_TRANSITIONS, REPLICA_TRANSITIONS } from "../../src/core/lifecycle.ts";
import type { Coverage } from "./coverage.ts";
import { FAULT_KINDS } from "./faults.ts";

/** Edges of core's tables that no run can reach yet, and why. */
const UNREACHABLE: Record<string, string> = {};

/** What has to happen at least once in a run of many seeds, or the run has proved less than it seems. */
export function notReached(coverage: Coverage): string[] {
  const expected: [kind: string, value: string][] = [
    ...edges("replica edge", REPLICA_TRANSITIONS),
    ...edges("job edge", JOB_TRANSITIONS),
    ...FAULT_KINDS.map((kind): [string, string] => ["fault", kind]),
    ...["starting", "ready", "unready", "backoff", "quiescing", "stopping", "ended"].map((state): [string, string] => [
      "job state",
      state,
    ]),
    ...["running", "stopping", "stopped"].map((status): [string, string] => ["service", status]),
    ["commit", "conflict"],
    ["commit", "sent again"],
    ["answer", "older than what is held"],
    ["sync refused", "forbidden"],
  ];
  return expected
    .filter(([kind, value]) => !coverage.has(kind, value))
    .map(([kind, value]) => `${kind}: ${value}`)
    .filter((name) => UNREACHABLE[name] === undefined);
}

function edges(kind: string, table: Record<string, Partial<Record<string, string>>>): [string, string][] {
  return Object.entries(table).flatMap(([from, events]) =>
    [...new Set(Object.values(events))].map((to): [string, string] => [kind, `${from} -> ${to}`]),
  );
}
