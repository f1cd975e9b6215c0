import type { Draft } from "../draft.ts";
import type { JobEntity, JobStatus, Millis, ReplicaEntity, ReplicaStatus } from "../state.ts";

/** What can happen to a replica. The diagram is in ARCHITECTURE.md; this table is the truth. */
export type ReplicaEvent =
  /** A host was found for it. */
  | "placed"
  /** Its agent says that it is ready. */
  | "ready"
  /** Its agent says that a replica that was ready is not. */
  | "unready"
  /** It is heard of again, and has never been ready. */
  | "returned"
  /** Its host has been silent for too long. */
  | "host_lost"
  /** It is not wanted any more, or is replaced. */
  | "drain"
  /** Every router has let go of it, or has had the time to. */
  | "unlisted"
  /** It is a router and the routes to it have been forgotten. */
  | "unrouted"
  /** It had its time to finish. */
  | "deadline"
  /** Its last job is gone. */
  | "ended";

export const REPLICA_TRANSITIONS: Record<ReplicaStatus, Partial<Record<ReplicaEvent, ReplicaStatus | "gone">>> = {
  pending: { placed: "starting", drain: "gone" },
  starting: { ready: "ready", host_lost: "lost", drain: "stopping", ended: "gone" },
  ready: { unready: "suspect", host_lost: "lost", drain: "unlisting", ended: "gone" },
  suspect: { ready: "ready", host_lost: "lost", drain: "unlisting", ended: "gone" },
  lost: { ready: "ready", unready: "suspect", returned: "starting", drain: "unlisting", ended: "gone" },
  unlisting: { unlisted: "quiescing", unrouted: "stopping", deadline: "stopping", ended: "gone" },
  quiescing: { deadline: "stopping", ended: "gone" },
  stopping: { ended: "gone" },
};

/**
 * What can happen to a job. `seen`: its agent reports it. `quiesce`, `stop`: the replica drains. `gone`: the agent,
 * which knows of it, says that nothing of it is left.
 */
export type JobEvent = "seen" | "quiesce" | "stop" | "gone";

export const JOB_TRANSITIONS: Record<JobStatus, Partial<Record<JobEvent, JobStatus | "gone">>> = {
  assigned: { seen: "running", quiesce: "quiescing", stop: "stopping", gone: "gone" },
  running: { quiesce: "quiescing", stop: "stopping", gone: "gone" },
  quiescing: { stop: "stopping", gone: "gone" },
  stopping: { gone: "gone" },
};

const DRAINING: readonly ReplicaStatus[] = ["unlisting", "quiescing", "stopping"];

/** On its way out: it never counts towards what is wanted, and never comes back. */
export function isDraining(replica: ReplicaEntity): boolean {
  return DRAINING.includes(replica.status);
}

/** Counts towards what is wanted: running or about to. */
export function isActive(replica: ReplicaEntity): boolean {
  return !isDraining(replica) && replica.status !== "lost";
}

/**
 * Moves a replica along the table and writes the journal.
 * @returns the replica as it is now, null when it is gone
 * @throws Error when the table has no such edge: a bug, never bad input
 */
export function moveReplica(
  draft: Draft,
  replica: ReplicaEntity,
  event: ReplicaEvent,
  reason: string,
  now: Millis,
  set: Partial<Pick<ReplicaEntity, "deadline" | "unlistedIn">> = {},
): ReplicaEntity | null {
  const to = REPLICA_TRANSITIONS[replica.status][event];
  if (!to) throw new Error(`replica ${replica.id} is ${replica.status}: no edge for ${event}`);
  draft.event({
    type: `replica.${to}`,
    service: replica.service,
    group: replica.group,
    replica: replica.id,
    message: reason,
  });
  if (to === "gone") {
    draft.delete("replica", replica.id);
    return null;
  }
  const moved: ReplicaEntity = {
    ...replica,
    ...set,
    status: to,
    since: now,
    reason,
    wasReady: replica.wasReady || to === "ready",
  };
  draft.put(moved);
  return moved;
}

/** Moves a job along its table. @returns the job as it is now, null when it is gone */
export function moveJob(draft: Draft, job: JobEntity, event: JobEvent, now: Millis): JobEntity | null {
  const to = JOB_TRANSITIONS[job.status][event];
  if (!to) throw new Error(`job ${job.id} is ${job.status}: no edge for ${event}`);
  if (to === "gone") {
    draft.delete("job", job.id);
    return null;
  }
  const moved: JobEntity = { ...job, status: to, since: now };
  draft.put(moved);
  return moved;
}
