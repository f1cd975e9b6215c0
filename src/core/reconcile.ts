import type { Draft } from "./draft.ts";
import { noteDrained } from "./hosts/cordons.ts";
import { isLost, lostDue } from "./hosts/silence.ts";
import {
  ENDS_TO_REPLACE,
  PLACE_RETRY_MS,
  REPLACE_BACKOFF_BASE_MS,
  REPLACE_BACKOFF_MAX_MS,
  UNREADY_REPLACE_MS,
} from "./limits.ts";
import { holdPorts, releasePorts } from "./placement/held-ports.ts";
import { matchCounts } from "./replicas/counts.ts";
import { drainMoments, drainStep, startDrain } from "./replicas/drain.ts";
import { describeEnds } from "./replicas/job-end.ts";
import { isDraining, moveJob, moveReplica } from "./replicas/lifecycle.ts";
import { jobIsGone, reportOf } from "./replicas/observed.ts";
import { unreadyDue } from "./replicas/unready.ts";
import { expireService, expiryOf } from "./services/expiry.ts";
import { currentRevision, groupOfReplica } from "./services/revision.ts";
import type { JobEntity, Millis, ReplicaEntity, ServiceEntity } from "./state.ts";
import type { StepContext } from "./step.ts";

/** Brings one service nearer to what is wanted, as far as it goes without waiting and without another host. */
export function prepareService(context: StepContext, id: string): void {
  const { draft } = context;
  if (!draft.get("service", id)) return;
  for (const replica of draft.by("replica", "service", id)) takeObservations(context, replica);
  releasePorts(context, id);
  expireService(context, draft.must("service", id));
  matchCounts(context, draft.must("service", id));
  for (const replica of draft.by("replica", "service", id)) if (isDraining(replica)) drainStep(context, replica);
}

/**
 * What is left to do for a service that was prepared, once what waited for a host has one or not.
 * @returns when time alone can next change something; null = never
 */
export function finishService({ draft, now }: StepContext, id: string): Millis | null {
  const service = draft.get("service", id);
  if (!service) return null;
  settle(draft, service);
  return nextDue(draft, id, now);
}

/**
 * Takes in what a host says of the replicas on it. A service is looked at as a whole only if something follows from it
 * for one of them, or if others may wait for what was said: of a router, or of a replica that is being drained.
 */
export function hearReplicasOn(context: StepContext, host: string): void {
  const { draft, touched } = context;
  for (const { replica: id, service } of draft.by("job", "host", host)) {
    if (touched.has(service)) continue;
    const replica = draft.must("replica", id);
    const isAwaited = isDraining(replica) || groupOfReplica(draft, replica).resolved.role === "router";
    if (!isAwaited) takeObservations(context, replica);
    if (isAwaited || draft.get("replica", id) !== replica) touched.add(service);
  }
}

/** What the host says of a replica, or that it says nothing, as edges of the replica's life. */
function takeObservations(context: StepContext, replica: ReplicaEntity): void {
  const { draft, now } = context;
  for (const job of draft.by("job", "replica", replica.id)) {
    if (jobIsGone(draft, job)) {
      holdPorts(context, replica, job);
      moveJob(draft, job, "gone", now);
      noteDrained(draft, job.host);
      context.placer.released(job.host);
      context.roomFreed = true;
    } else if (job.status === "assigned" && reportOf(draft, job)) {
      moveJob(draft, job, "seen", now);
    }
  }
  if (replica.status === "pending") return;
  const jobs = draft.by("job", "replica", replica.id);
  if (jobs.length === 0) {
    const reason = isDraining(replica) ? replica.reason : "its host does not run it any more";
    moveReplica(draft, replica, "ended", reason, now);
    return;
  }
  if (!isDraining(replica)) observeLive(context, replica, jobs[0] as JobEntity);
}

function observeLive(context: StepContext, replica: ReplicaEntity, job: JobEntity): void {
  const { draft, now } = context;
  const host = draft.must("host", job.host);
  if (host.silentSince !== null) {
    if (replica.status !== "lost" && isLost(draft, host, now)) {
      moveReplica(draft, replica, "host_lost", `host ${host.name} is not heard of`, now);
    }
    return;
  }
  const report = reportOf(draft, job);
  if (!report) return;
  const isReady = report.state === "ready";
  if (isReady && replica.status !== "ready") {
    const ready = moveReplica(draft, replica, "ready", "its probes pass", now);
    if (ready) clearBackoff(draft, ready);
    return;
  }
  const wasReady = replica.status === "ready" || (replica.status === "lost" && replica.wasReady);
  if (!isReady && wasReady) {
    moveReplica(draft, replica, "unready", report.message || "it is not ready any more", now);
  } else if (replica.status === "lost") {
    moveReplica(draft, replica, "returned", "its host is back", now);
  }
  const current = draft.must("replica", replica.id);
  if (report.recentEnds >= ENDS_TO_REPLACE) {
    replaceFailed(context, current, describeEnds(report.recentEnds, report.lastEnd));
  } else if (now >= (unreadyDue(draft, current) ?? Number.POSITIVE_INFINITY)) {
    replaceFailed(context, current, `not ready for ${UNREADY_REPLACE_MS / 1_000} s: ${current.reason}`);
  }
}

function replaceFailed(context: StepContext, replica: ReplicaEntity, reason: string): void {
  const { draft, now } = context;
  const service = draft.must("service", replica.service);
  const failures = (service.backoff[replica.group]?.failures ?? 0) + 1;
  const waitMs = Math.min(REPLACE_BACKOFF_BASE_MS * 2 ** (failures - 1), REPLACE_BACKOFF_MAX_MS);
  draft.put({
    ...service,
    backoff: { ...service.backoff, [replica.group]: { failures, notBefore: now + waitMs, reason } },
  });
  startDrain(context, replica, reason);
}

function clearBackoff(draft: Draft, replica: ReplicaEntity): void {
  const service = draft.must("service", replica.service);
  if (!service.backoff[replica.group]) return;
  const { [replica.group]: _, ...backoff } = service.backoff;
  draft.put({ ...service, backoff });
}

/** A stopping service without replicas is stopped; revisions that nothing uses any more are forgotten. */
function settle(draft: Draft, service: ServiceEntity): void {
  const replicas = draft.by("replica", "service", service.id);
  if (service.status === "stopping" && replicas.length === 0) {
    draft.put({ ...service, status: "stopped" });
    draft.event({ type: "service.stopped", service: service.id, message: "nothing of it is left running" });
  }
  const used = new Set(replicas.map((replica) => replica.revision)).add(service.revision);
  for (const revision of draft.by("revision", "service", service.id)) {
    if (!used.has(revision.number)) draft.delete("revision", revision.id);
  }
}

/** The next moment at which time alone changes something about the service. */
function nextDue(draft: Draft, id: string, now: Millis): Millis | null {
  const service = draft.get("service", id);
  if (!service || service.status === "stopped") return null;
  const moments: Millis[] = [];
  const expiresAt = expiryOf(service, currentRevision(draft, service).spec.profile.maxDurationS);
  if (expiresAt !== null && service.status === "running") moments.push(expiresAt);
  for (const { notBefore } of Object.values(service.backoff)) if (notBefore > now) moments.push(notBefore);
  for (const replica of draft.by("replica", "service", id)) {
    if (replica.status === "pending") moments.push(now + PLACE_RETRY_MS);
    const unready = unreadyDue(draft, replica);
    if (unready !== null) moments.push(unready);
    if (isDraining(replica)) moments.push(...drainMoments(draft, replica));
    if (replica.status === "lost") continue;
    for (const job of draft.by("job", "replica", replica.id)) {
      const lost = lostDue(draft, draft.must("host", job.host), now);
      if (lost !== null) moments.push(lost);
    }
  }
  const ahead = moments.filter((moment) => moment > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}
