import type { Draft } from "../draft.ts";
import { isOutOfReach } from "../hosts/silence.ts";
import { ROUTE_CACHE_MS, STOP_GRACE_MS } from "../limits.ts";
import { currentRevision, drainTimeMs, groupOfReplica, hasRouter, revisionOf } from "../services/revision.ts";
import type { Millis, ReplicaEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { hasForgotten, routersOf } from "./let-go.ts";
import { moveJob, moveReplica } from "./lifecycle.ts";

/** Starts to take a replica out. One that never served goes at once; the others leave their callers first. */
export function startDrain(context: StepContext, replica: ReplicaEntity, reason: string): void {
  const { draft, now } = context;
  const serves = replica.status !== "starting" && replica.status !== "pending";
  // What the service says now, not what it said when the replica was made.
  const current = currentRevision(draft, draft.must("service", replica.service));
  const graceMs = serves ? drainTimeMs(current) : STOP_GRACE_MS;
  const moved = moveReplica(draft, replica, "drain", reason, now, {
    deadline: now + graceMs,
    unlistedIn: draft.version,
  });
  if (moved?.status === "stopping") stopJobs(context, moved);
}

/** Moves a draining replica on to its next phase, when that may begin. */
export function drainStep(context: StepContext, replica: ReplicaEntity): void {
  const { draft, now } = context;
  const deadline = replica.deadline ?? now;
  if (replica.status === "unlisting") {
    if (groupOfReplica(draft, replica).resolved.role === "router") {
      if (now < routesForgotten(draft, replica)) return;
      const moved = moveReplica(draft, replica, "unrouted", replica.reason, now);
      if (moved) stopJobs(context, moved);
    } else if (now >= deadline) {
      stopNow(context, replica);
    } else if (isUnlisted(draft, replica, now)) {
      const moved = moveReplica(draft, replica, "unlisted", replica.reason, now);
      for (const job of moved ? draft.by("job", "replica", moved.id) : []) moveJob(draft, job, "quiesce", now);
    }
  } else if (replica.status === "quiescing" && now >= deadline + STOP_GRACE_MS) {
    // The agent stops it at the deadline by itself; this is for one that did not hear of the phase in time.
    stopNow(context, replica);
  }
}

/** When the replica's phase ends by time alone. */
export function drainMoments(draft: Draft, replica: ReplicaEntity): Millis[] {
  const deadline = replica.deadline ?? replica.since;
  if (replica.status === "unlisting") return [routesForgotten(draft, replica), deadline];
  if (replica.status === "quiescing") return [deadline + STOP_GRACE_MS];
  return [];
}

/**
 * Whether no new request can reach a worker: every router of its service has let go of it, or, where the proxy is in
 * front, the routes that name it have been forgotten.
 */
function isUnlisted(draft: Draft, replica: ReplicaEntity, now: Millis): boolean {
  if (!hasRouter(revisionOf(draft, replica))) return now >= routesForgotten(draft, replica);
  const unlistedIn = replica.unlistedIn ?? draft.version;
  // A router on a lost host serves nobody that we know of, and cannot be asked; the worker's ports are held for it.
  return routersOf(draft, replica.service).every(
    (router) => isOutOfReach(draft, router, now) || hasForgotten(draft, router, replica.id, unlistedIn),
  );
}

/** When nobody uses routes any more that name a replica which is being unlisted. */
function routesForgotten(draft: Draft, replica: ReplicaEntity): Millis {
  return (draft.state.unroutedAt.get(replica.id) ?? replica.since) + ROUTE_CACHE_MS;
}

function stopNow(context: StepContext, replica: ReplicaEntity): void {
  const moved = moveReplica(
    context.draft,
    replica,
    "deadline",
    `${replica.reason}; its time to finish is over`,
    context.now,
  );
  if (moved) stopJobs(context, moved);
}

function stopJobs({ draft, now }: StepContext, replica: ReplicaEntity): void {
  for (const job of draft.by("job", "replica", replica.id)) {
    if (job.status !== "stopping") moveJob(draft, job, "stop", now);
  }
}
