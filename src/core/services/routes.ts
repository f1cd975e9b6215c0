import type { ProjectState } from "../project-state.ts";
import { withRestarts } from "../replicas/job-end.ts";
import { isActive } from "../replicas/lifecycle.ts";
import { reportOf } from "../replicas/observed.ts";
import type { ReplicaEntity, ServiceEntity } from "../state.ts";
import { currentRevision, groupOfReplica, hasRouter, revisionGroups } from "./revision.ts";

interface RouteTarget {
  replica: string;
  host: string;
  /** Set for a router that was ready and is not: its agent, which knows first, says whether it serves. */
  unready?: true;
}

/** Where requests of a service go now. */
export interface ServiceRoutes {
  /** Whether the targets are routers. */
  router: boolean;
  targets: RouteTarget[];
  /** One line for people: what is waited for; empty when every group has its minimum ready. */
  message: string;
  /** Every group has its minimum ready. */
  ready: boolean;
}

/**
 * Ready routers, or, where a service has no router, ready replicas. Where no router is ready, those that were: a router
 * that waits for the last worker of a role serves in the moment that it has one, which is known here only a second later.
 */
export function routesOf(state: ProjectState, service: ServiceEntity): ServiceRoutes {
  const revision = currentRevision(state, service);
  const groups = [...revisionGroups(revision).values()];
  const router = hasRouter(revision);
  const replicas = replicasOf(state, service.id);
  const targets = service.status === "running" ? targetsAmong(state, replicas, router) : [];
  const message = describeProgress(
    service,
    groups.map((group) => group.spec.name),
    replicas,
    (_, active) => whyPending(active),
  );
  return { router, targets, message, ready: message === "" };
}

export function replicasOf(state: ProjectState, service: string): ReplicaEntity[] {
  return [...state.tables.replica.ids("service", service)]
    .sort()
    .map((id) => state.tables.replica.byId.get(id) as ReplicaEntity);
}

function targetsAmong(state: ProjectState, replicas: ReplicaEntity[], router: boolean): RouteTarget[] {
  const fronts = replicas.filter((replica) => (groupOfReplica(state, replica).resolved.role === "router") === router);
  const targetsIn = (status: "ready" | "suspect") =>
    fronts
      .filter((replica) => replica.status === status)
      .flatMap((replica): RouteTarget[] => {
        const [jobId] = state.tables.job.ids("replica", replica.id);
        const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
        return job ? [{ replica: replica.id, host: job.host }] : [];
      });
  const ready = targetsIn("ready");
  if (ready.length > 0 || !router) return ready;
  return targetsIn("suspect").map((target) => ({ ...target, unready: true }));
}

/**
 * One line for the operators of a service: what is waited for, and why as far as hosts say. Callers of the service are
 * told less (`routesOf`), since that is nothing of theirs.
 */
export function describeWaiting(state: ProjectState, service: ServiceEntity): string {
  const groups = currentRevision(state, service).spec.groups.map(({ name }) => name);
  return describeProgress(service, groups, replicasOf(state, service.id), (group, active) => {
    const failed = service.backoff[group]?.reason || null;
    const told = whyNotReady(state, active);
    if (told === null) return whyPending(active) ?? failed;
    // A replica that has just been made in the place of one that failed has nothing to tell yet.
    return told.ends === 0 && failed !== null ? `${told.text}; the replica before: ${failed}` : told.text;
  });
}

/** @param why of a group that has fewer ready than it should; null = there is nothing to say */
function describeProgress(
  service: ServiceEntity,
  groups: string[],
  replicas: ReplicaEntity[],
  why: (group: string, active: ReplicaEntity[]) => string | null,
): string {
  if (service.status === "stopped") return "the service is stopped";
  if (service.status === "stopping") return `the service is stopping, ${replicas.length} of its replicas are left`;
  const waiting: string[] = [];
  for (const group of groups) {
    const active = replicas.filter((replica) => replica.group === group && isActive(replica));
    const ready = active.filter((replica) => replica.status === "ready").length;
    const wanted = service.wanted[group] ?? 0;
    if (ready >= wanted) continue;
    const reason = why(group, active) || "";
    // Groups without a name of their own are called by their place in the file.
    const name = /^\d+$/.test(group) ? `group ${group}:` : group;
    waiting.push(`${name} ${ready} of ${wanted} ready${reason === "" ? "" : ` (${reason})`}`);
  }
  return waiting.join("; ");
}

function whyPending(active: ReplicaEntity[]): string | null {
  return active.find((replica) => replica.status === "pending" && replica.reason)?.reason ?? null;
}

/** What the hosts of a group's replicas say of those that are not ready: of the one that failed most often. */
function whyNotReady(state: ProjectState, active: ReplicaEntity[]): { ends: number; text: string } | null {
  const told = active.flatMap((replica) => {
    const [id] = state.tables.job.ids("replica", replica.id);
    const job = id === undefined ? undefined : state.tables.job.byId.get(id);
    const report = job && reportOf(state, job);
    if (replica.status === "ready" || !job || !report) return [];
    const host = state.tables.host.byId.get(job.host)?.name ?? job.host;
    const words = withRestarts(report.message, report);
    return words === "" ? [] : [{ ends: report.recentEnds, text: `${replica.id} on ${host}: ${words}` }];
  });
  return told.sort((one, other) => other.ends - one.ends)[0] ?? null;
}
