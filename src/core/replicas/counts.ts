import type { RolloutSpec, Share } from "../../spec/types.ts";
import { isOutOfReach } from "../hosts/silence.ts";
import { currentRevision, groupOfReplica } from "../services/revision.ts";
import type { ReplicaEntity, ServiceEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { startDrain } from "./drain.ts";
import { leavingReplicas } from "./leaving.ts";
import { isActive, isDraining } from "./lifecycle.ts";

/** Makes as many replicas of each group as are wanted, and lets go of those that are too many. */
export function matchCounts(context: StepContext, service: ServiceEntity): void {
  const { draft } = context;
  const replicas = draft.by("replica", "service", service.id).filter((replica) => !isDraining(replica));
  if (service.status !== "running") {
    stopReplicas(context, service, replicas);
    return;
  }
  const { groups, rollout } = currentRevision(draft, service).spec;
  for (const replica of replicas) {
    if (!groups.some(({ name }) => name === replica.group)) startDrain(context, replica, "its group is gone");
  }
  const leaving = leavingReplicas(draft, service.id);
  for (const { name } of groups) {
    const ofGroup = replicas.filter((replica) => replica.group === name);
    matchGroup(context, service, { name, replicas: ofGroup, leaving }, rollout);
    if ((service.wanted[name] ?? 0) > 0) continue;
    for (const replica of ofGroup) if (replica.status === "lost") startDrain(context, replica, "not wanted any more");
  }
}

interface GroupCount {
  name: string;
  replicas: ReplicaEntity[];
  /** Those of them, and of other groups, that are to be moved away, with why. */
  leaving: ReadonlyMap<string, string>;
}

/**
 * One that is to be moved away counts as long as no other has taken its place: it goes once enough others are ready, and
 * until then as many are made beside it as `max_surge` allows.
 */
function matchGroup(context: StepContext, service: ServiceEntity, group: GroupCount, rollout: RolloutSpec): void {
  const wanted = service.wanted[group.name] ?? 0;
  const active = group.replicas.filter(isActive).sort(leastImportantFirst);
  const staying = active.filter(({ id }) => !group.leaving.has(id));
  const surplus = staying.slice(0, Math.max(0, staying.length - wanted));
  for (const replica of surplus) startDrain(context, replica, "there are more than wanted");

  const { surge, unavailable } = allowances(rollout, wanted);
  let ready = active.filter((replica) => replica.status === "ready" && !surplus.includes(replica)).length;
  let leaving = active.length - staying.length;
  for (const replica of active) {
    const reason = group.leaving.get(replica.id);
    if (reason === undefined) continue;
    const without = replica.status === "ready" ? ready - 1 : ready;
    if (without < wanted - unavailable) continue;
    startDrain(context, replica, reason);
    ready = without;
    leaving -= 1;
  }

  const left = staying.length - surplus.length;
  const missing = Math.min(wanted - left, wanted + (leaving > 0 ? surge : 0) - left - leaving);
  if (context.now < (service.backoff[group.name]?.notBefore ?? 0)) return;
  for (let made = 0; made < missing; made += 1) createReplica(context, service.id, group.name);
}

/** How far a group may be above and below what is wanted. One of the two is more than none, or nothing could change. */
function allowances({ maxSurge, maxUnavailable }: RolloutSpec, wanted: number): { surge: number; unavailable: number } {
  const unavailable = inReplicas(maxUnavailable, wanted, Math.floor);
  return { surge: Math.max(inReplicas(maxSurge, wanted, Math.ceil), unavailable === 0 ? 1 : 0), unavailable };
}

function inReplicas(share: Share, wanted: number, round: (value: number) => number): number {
  return "replicas" in share ? share.replicas : round((share.percent * wanted) / 100);
}

/**
 * A stopped service first leaves the routes, then its routers end with their last stream, then its workers. Workers
 * that were never listed serve nobody and need not wait.
 */
function stopReplicas(context: StepContext, service: ServiceEntity, live: ReplicaEntity[]): void {
  const { draft } = context;
  const isRouter = (replica: ReplicaEntity) => groupOfReplica(draft, replica).resolved.role === "router";
  const all = draft.by("replica", "service", service.id);
  const routersServe = all.some((replica) => isRouter(replica) && !isOutOfReach(draft, replica, context.now));
  for (const replica of live) {
    if (routersServe && replica.wasReady && !isRouter(replica)) continue;
    startDrain(context, replica, "the service is stopped");
  }
}

/** Which replica of a group is missed least: not placed, not ready, ready for the shortest time. */
function leastImportantFirst(a: ReplicaEntity, b: ReplicaEntity): number {
  const rank = { pending: 0, starting: 1, suspect: 2, ready: 3 } as Record<ReplicaEntity["status"], number>;
  return (rank[a.status] ?? 0) - (rank[b.status] ?? 0) || b.since - a.since || (a.id < b.id ? 1 : -1);
}

function createReplica({ draft, now }: StepContext, serviceId: string, group: string): void {
  const service = draft.must("service", serviceId);
  const project = draft.must("project", "project");
  const serial = project.nextSerial;
  draft.put({ ...project, nextSerial: serial + 1 });
  draft.put({
    kind: "replica",
    id: `${service.id}-${group}-${serial}`,
    service: service.id,
    group,
    revision: service.revision,
    status: "pending",
    since: now,
    reason: "",
    deadline: null,
    unlistedIn: null,
    createdAt: now,
    wasReady: false,
  });
}
