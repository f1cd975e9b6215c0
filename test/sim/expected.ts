import { JOB_TRANSITIONS, REPLICA_TRANSITIONS } from "../../src/core/replicas/lifecycle.ts";
import type { Coverage } from "./coverage.ts";
import { FAULT_KINDS } from "./faults.ts";

const NOBODY_REMOVES = "only an operator who removes a host by force ends it so, which few seeds have";

/** What the tables of core allow and no run reaches, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  "replica edge: starting -> gone": NOBODY_REMOVES,
  "replica edge: ready -> gone": NOBODY_REMOVES,
  "replica edge: suspect -> gone": NOBODY_REMOVES,
  "replica edge: lost -> gone": NOBODY_REMOVES,
  "replica edge: unlisting -> gone": NOBODY_REMOVES,
  "job edge: assigned -> gone": NOBODY_REMOVES,
  "job edge: running -> gone": NOBODY_REMOVES,
};

/** What needs several unlikely things at once: asked for in long runs only, so that a short one does not hang on luck. */
const RARE: Readonly<Record<string, string>> = {
  "replica edge: suspect -> lost": "a worker fails its probes on a host that falls silent within the minute",
  "replica edge: lost -> unlisting": "a lost replica is not wanted any more before its host is back",
  "replica edge: quiescing -> stopping": "a worker that quiesces is cut off until long after its deadline",
  "replica edge: starting -> lost": "a host falls silent while it loads a worker",
  "replica edge: lost -> starting": "and comes back before that is loaded",
  "job edge: quiescing -> stopping": "a worker that quiesces is cut off until long after its deadline",
  "job edge: assigned -> stopping": "a service is stopped before a host has told of its job",
  "job edge: assigned -> quiescing": "a host falls silent before it tells of a job, and the service is stopped then",
};

/** Job states of the wire, statuses of services, and what control has to deal with. */
const OTHERS: [kind: string, values: string[]][] = [
  ["job state", ["starting", "ready", "unready", "backoff", "quiescing", "stopping", "ended"]],
  ["service", ["running", "stopping", "stopped", "expired"]],
  ["commit", ["conflict", "sent again"]],
  [
    "host",
    [
      ...[
        "host.joined",
        "host.cordoned",
        "host.uncordoned",
        "host.draining",
        "host.drained",
        "host.removed",
        "host.left",
      ],
      ...["host.unwell", "host.well", "host.changed", "fleet.applied", "back after its removal"],
      ...["host.updating", "host.updated", "host.update_failed", "server.agent"],
    ],
  ],
  ["build", ["works", "ends at once", "is not accepted"]],
  ["link", ["refused"]],
  ["report", ["waited", "waited longer than a host may be silent"]],
  ["sync refused", ["forbidden"]],
  ["request", ["conflict", "not_found", "failed"]],
];

/**
 * What has to happen at least once in a run of many seeds, or the run has proved less than it seems.
 * @returns what did not happen
 */
export function notReached(coverage: Coverage, { isLong }: { isLong: boolean }): string[] {
  const expected = [
    ...edges("replica edge", REPLICA_TRANSITIONS),
    ...edges("job edge", JOB_TRANSITIONS),
    ...FAULT_KINDS.map((kind) => ["fault", kind] as const),
    ...OTHERS.flatMap(([kind, values]) => values.map((value) => [kind, value] as const)),
  ];
  return expected
    .filter(([kind, value]) => !coverage.has(kind, value))
    .map(([kind, value]) => `${kind}: ${value}`)
    .filter((name) => !(name in UNREACHABLE) && (isLong || !(name in RARE)));
}

function edges(kind: string, table: Record<string, Partial<Record<string, string>>>) {
  return Object.entries(table).flatMap(([from, events]) =>
    [...new Set(Object.values(events))].map((to) => [kind, `${from} -> ${to}`] as const),
  );
}
