import { isActive } from "./lifecycle.ts";
import type { ProjectState } from "./project-state.ts";
import { currentRevision, groupOfReplica, hasRouter, revisionGroups } from "./revision.ts";
import type { ReplicaEntity, ServiceEntity } from "./state.ts";

/** Where requests of a service go now. */
export interface ServiceRoutes {
  /** Whether the targets are routers. */
  router: boolean;
  targets: { replica: string; host: string }[];
  /** One line for people: what is waited for; empty when every group has its minimum ready. */
  message: string;
  /** Every group has its minimum ready. */
  ready: boolean;
}

/** Ready routers, or, where a service has no router, ready replicas. */
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
  );
  return { router, targets, message, ready: message === "" };
}

export function replicasOf(state: ProjectState, service: string): ReplicaEntity[] {
  return [...state.tables.replica.ids("service", service)]
    .sort()
    .map((id) => state.tables.replica.byId.get(id) as ReplicaEntity);
}

function targetsAmong(state: ProjectState, replicas: ReplicaEntity[], router: boolean) {
  const targets: ServiceRoutes["targets"] = [];
  for (const replica of replicas) {
    if (replica.status !== "ready") continue;
    if ((groupOfReplica(state, replica).resolved.role === "router") !== router) continue;
    const [jobId] = state.tables.job.ids("replica", replica.id);
    const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
    if (job) targets.push({ replica: replica.id, host: job.host });
  }
  return targets;
}

function describeProgress(service: ServiceEntity, groups: string[], replicas: ReplicaEntity[]): string {
  if (service.status === "stopped") return "the service is stopped";
  if (service.status === "stopping") return `the service is stopping, ${replicas.length} of its replicas are left`;
  const waiting: string[] = [];
  for (const group of groups) {
    const active = replicas.filter((replica) => replica.group === group && isActive(replica));
    const ready = active.filter((replica) => replica.status === "ready").length;
    const wanted = service.wanted[group] ?? 0;
    if (ready >= wanted) continue;
    const pending = active.find((replica) => replica.status === "pending" && replica.reason);
    waiting.push(`${group} ${ready} of ${wanted} ready${pending ? ` (${pending.reason})` : ""}`);
  }
  return waiting.join("; ");
}
