import type { Role } from "../../spec/types.ts";
import type { DesiredWorker } from "../../wire/index.ts";
import type { ProjectState } from "../project-state.ts";
import { groupOfReplica, revisionOf } from "../services/revision.ts";
import type { JobEntity, ReplicaEntity } from "../state.ts";

/**
 * The workers that the routers of a service shall list: those that are ready, and those on a silent host, since a
 * router's own agent notices first when a worker cannot be reached. A role never runs empty while one of its workers
 * is merely unready: there is nothing better to send to.
 */
export function desiredWorkers(state: ProjectState, service: string): DesiredWorker[] {
  const byRole = new Map<Role, { listed: DesiredWorker[]; spare: { worker: DesiredWorker; since: number } | null }>();
  for (const id of [...state.tables.replica.ids("service", service)].sort()) {
    const replica = state.tables.replica.byId.get(id) as ReplicaEntity;
    const isListed = replica.status === "ready" || (replica.status === "lost" && replica.wasReady);
    if (!isListed && replica.status !== "suspect") continue;
    const worker = workerOf(state, replica);
    if (!worker) continue;
    const role = byRole.get(worker.role) ?? { listed: [], spare: null };
    byRole.set(worker.role, role);
    if (isListed) role.listed.push(worker);
    else if (!role.spare || replica.since > role.spare.since) role.spare = { worker, since: replica.since };
  }
  return [...byRole.values()].flatMap(({ listed, spare }) => (listed.length > 0 || !spare ? listed : [spare.worker]));
}

function workerOf(state: ProjectState, replica: ReplicaEntity): DesiredWorker | null {
  const { resolved } = groupOfReplica(state, replica);
  if (resolved.role === "router") return null;
  const [jobId] = state.tables.job.ids("replica", replica.id);
  const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
  if (!job) return null;
  const isPaired = resolved.role === "prefill" || resolved.role === "decode";
  return {
    replica: replica.id,
    url: urlOf(state, job),
    role: resolved.role,
    bootstrapPort: job.ports.find((port) => port.name === "bootstrap")?.port ?? null,
    labels: isPaired ? { pairing_protocol: revisionOf(state, replica).pairing } : {},
  };
}

function urlOf(state: ProjectState, job: JobEntity): string {
  const address = state.tables.host.byId.get(job.host)?.inventory.address ?? "127.0.0.1";
  return `http://${address.includes(":") ? `[${address}]` : address}:${job.port}`;
}
