import { addressesFor } from "../render/addresses.ts";
import { isActive } from "../replicas/lifecycle.ts";
import { groupOfReplica, revisionOf } from "../services/revision.ts";
import type { JobEntity, ReplicaEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { hardestFirst } from "./hardest-first.ts";
import { exchangesCache } from "./homes.ts";
import { describeNoFit } from "./placement.ts";

/** Replicas of one service that have found a place, and those that have not. */
export interface Arrangement {
  /** In the draft already; their replicas are as they were. */
  jobs: JobEntity[];
  left: Left[];
}

interface Left {
  replica: ReplicaEntity;
  /** For people. */
  reason: string;
  /** Whether others of the service had taken their places before it was tried. */
  isLate: boolean;
}

/** Prefill and decode look for all of their room in one home (`Homes`) after another, beginning with what suits best. */
const HOMES_TRIED = 4;

/**
 * Finds hosts for replicas of one service that wait, the hardest to place first. Where one finds none that others of the
 * service may have taken from it, all are tried again in other orders, and the best try stays: that in which the most
 * groups have a replica, since without one of each a service serves nobody, then that with the most replicas. Nothing that
 * had its place before is moved.
 */
export function arrange(context: StepContext, waiting: ReplicaEntity[]): Arrangement {
  const groups = hardestFirst(context.draft, waiting);
  const bare = groups.filter(([first]) => !hasPlace(context, first as ReplicaEntity));
  const avoid = new Set<string>();
  let now: Arrangement = { jobs: [], left: [] };
  let best: Arrangement | null = null;
  for (let homes = 0; homes < HOMES_TRIED; homes += 1) {
    let home: string | null = null;
    for (const reorder of ORDERS) {
      const order = reorder(groups, now, bare);
      withdraw(context, now);
      now = attempt(context, order, avoid);
      if (best === null || isBetter(now, best, bare)) best = now;
      if (!now.left.some(({ isLate }) => isLate)) return settleFor(context, best, now);
      home ??= homeOf(context, now);
    }
    if (home === null) break;
    avoid.add(home);
  }
  return settleFor(context, best as Arrangement, now);
}

/** The orders in which replicas are tried, by what became of the try before. */
const ORDERS: ((groups: Groups, before: Arrangement, bare: Groups) => ReplicaEntity[])[] = [
  (groups) => groups.flat(),
  (groups, before) => failedFirst(groups, before).flat(),
  (groups, before, bare) => {
    const ordered = failedFirst(groups, before);
    const firsts = ordered.filter((group) => bare.includes(group)).map(([first]) => first as ReplicaEntity);
    return [...firsts, ...ordered.flat().filter((replica) => !firsts.includes(replica))];
  },
];

type Groups = readonly ReplicaEntity[][];

/** Groups of which some found no place, then the others. */
function failedFirst(groups: Groups, { left }: Arrangement): ReplicaEntity[][] {
  const failed = new Set(left.map(({ replica }) => replica));
  const hasFailed = (group: ReplicaEntity[]) => group.some((replica) => failed.has(replica));
  return [...groups.filter(hasFailed), ...groups.filter((group) => !hasFailed(group))];
}

/** Tries each replica once, one that asks for the address of another after that one has its place. */
function attempt(context: StepContext, replicas: ReplicaEntity[], avoid: ReadonlySet<string>): Arrangement {
  const { draft } = context;
  const jobs: JobEntity[] = [];
  const left: Left[] = [];
  let waiting = replicas;
  for (let tried = -1; tried !== 0; ) {
    const before = waiting.length;
    waiting = waiting.filter((replica) => {
      const found = addressesFor(draft, replica);
      if (!found.ok) return true;
      const placed = place(context, replica, found.addresses, avoid);
      if (typeof placed === "string") left.push({ replica, reason: placed, isLate: jobs.length > 0 });
      else jobs.push(placed);
      return false;
    });
    tried = before - waiting.length;
  }
  for (const replica of waiting) {
    const found = addressesFor(draft, replica);
    if (!found.ok) left.push({ replica, reason: found.reason, isLate: false });
  }
  return { jobs, left };
}

/** @returns the job, or why there is no host for it */
function place(
  { draft, now, placer }: StepContext,
  replica: ReplicaEntity,
  addresses: JobEntity["addresses"],
  avoid: ReadonlySet<string>,
): JobEntity | string {
  const revision = revisionOf(draft, replica);
  const group = groupOfReplica(draft, replica);
  const placed = placer.place(`${revision.id}/${replica.group}`, revision, group, avoid);
  if (!("host" in placed)) return describeNoFit(placed);
  const { host, promise } = placed;
  const job: JobEntity = {
    kind: "job",
    id: `${replica.id}.0`,
    replica: replica.id,
    service: replica.service,
    group: replica.group,
    rank: 0,
    host: host.id,
    status: "assigned",
    since: now,
    runtime: promise.runtime,
    created: draft.version,
    port: promise.ports.find((claim) => claim.name === "service")?.port ?? group.spec.port,
    ports: promise.ports,
    accelerators: promise.accelerators,
    addresses,
  };
  draft.put(job);
  placer.placed(group.spec, job, host);
  return job;
}

function withdraw({ draft, placer }: StepContext, { jobs }: Arrangement): void {
  for (const { id, host } of jobs) {
    draft.delete("job", id);
    placer.released(host);
  }
}

/** Makes the best try the one that stands. Reasons are those of what stands, wherever it was not to go in that try. */
function settleFor(context: StepContext, best: Arrangement, now: Arrangement): Arrangement {
  if (best === now) return best;
  const { draft, placer } = context;
  withdraw(context, now);
  for (const job of best.jobs) {
    draft.put(job);
    placer.released(job.host);
  }
  return best;
}

function isBetter(a: Arrangement, b: Arrangement, bare: Groups): boolean {
  const covered = ({ jobs }: Arrangement) => {
    const placed = new Set(jobs.map(({ replica }) => replica));
    return bare.filter((group) => group.some(({ id }) => placed.has(id))).length;
  };
  return (covered(a) - covered(b) || a.jobs.length - b.jobs.length) > 0;
}

/** Whether another of its group has a place. */
function hasPlace({ draft }: StepContext, { service, group }: ReplicaEntity): boolean {
  return draft.by("job", "service", service).some((job) => {
    return job.group === group && isActive(draft.must("replica", job.replica));
  });
}

/** Where those have their places that a try has placed and that exchange their cache. */
function homeOf({ draft, placer }: StepContext, { jobs }: Arrangement): string | null {
  for (const { replica, host } of jobs) {
    const { role } = groupOfReplica(draft, draft.must("replica", replica)).resolved;
    if (exchangesCache(role)) return placer.homes.idOf(draft.must("host", host));
  }
  return null;
}
