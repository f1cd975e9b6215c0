import type { Draft } from "../draft.ts";
import { isDrained } from "../hosts/cordons.ts";
import type { ProjectState } from "../project-state.ts";
import { replicasOf } from "../services/routes.ts";
import type { HostEntity, ReplicaEntity } from "../state.ts";
import { isActive, isDraining } from "./lifecycle.ts";

/** The replicas of a service that are to be moved away, since their hosts are drained, each with the reason. */
export function leavingReplicas(draft: Draft, service: string): Map<string, string> {
  const leaving = new Map<string, string>();
  for (const host of draft.by("host", "drained", "true")) {
    for (const job of draft.by("job", "host", host.id)) {
      if (job.service === service) leaving.set(job.replica, `host ${host.name} is drained`);
    }
  }
  return leaving;
}

/** What is still on a drained host, and what each of it waits for. */
export function describeLeaving(state: ProjectState, host: HostEntity): { replica: string; waitsFor: string }[] {
  if (!isDrained(host)) return [];
  const { job: jobs, replica: replicas } = state.tables;
  return [...jobs.ids("host", host.id)].sort().map((id) => {
    const replica = replicas.byId.get(jobs.byId.get(id)!.replica) as ReplicaEntity;
    return { replica: replica.id, waitsFor: waitsFor(state, replica) };
  });
}

function waitsFor(state: ProjectState, replica: ReplicaEntity): string {
  if (replica.status === "lost") return "its host to return, or to be removed by force";
  if (isDraining(replica)) return "its requests to end";
  const others = replicasOf(state, replica.service).filter(
    ({ id, group, status }) => id !== replica.id && group === replica.group && status !== "ready",
  );
  const unplaced = others.find(({ status }) => status === "pending");
  if (unplaced) {
    const advice = "give it room elsewhere, or let the service do without one (max_unavailable: 1)";
    return `room for ${unplaced.id}: ${unplaced.reason || "it is placed now"}; ${advice}`;
  }
  const coming = others.filter((other) => isActive(other) && !isOn(state, other, replica));
  if (coming.length > 0) return `${coming.map(({ id }) => id).join(", ")} to be ready`;
  return "another to be started in its place";
}

/** Whether both run on one host. */
function isOn(state: ProjectState, a: ReplicaEntity, b: ReplicaEntity): boolean {
  const hostOf = ({ id }: ReplicaEntity) => {
    const [job] = state.tables.job.ids("replica", id);
    return job === undefined ? null : state.tables.job.byId.get(job)?.host;
  };
  return hostOf(a) === hostOf(b);
}
