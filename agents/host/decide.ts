import type { DesiredJob, DesiredState } from "../../src/wire/index.ts";
import { type CheckName, noteCheck } from "./decide/checks.ts";
import { copyMemory } from "./decide/copy.ts";
import { discard, keepRunning, noteIdentity, noteIdle, quiesce, stop } from "./decide/phases.ts";
import { askReach, noteReach, soundWorkers } from "./decide/reach.ts";
import { newRouter, noteRouter, syncRouter } from "./decide/router.ts";
import { followRun, newJob, noteEnd } from "./decide/runs.ts";
import { LOOK_IDLE_INTERVAL_MS, LOOK_INTERVAL_MS, STOP_GRACE_MS } from "./decide/timing.ts";
import { Turn } from "./decide/turn.ts";
import type { Answer, Decision, Instant, JobMemory, Memory, Observed, RunMemory } from "./decide/types.ts";

/** What a report carries of the last lines of a run. */
const END_TAIL_MAX = 2_048;

export const EMPTY_MEMORY: Memory = { jobs: {}, reach: {} };

/**
 * All that the agent decides: what it wants, what it sees and what it remembers lead to what it does next. Pure: it may
 * be run in virtual time, and the same arguments always give the same decision.
 *
 * @param desired null before the control plane was ever heard: then nothing is started or stopped
 * @param observed what the runtimes list now and the answers that came in since the last decision
 * @param memory of the last decision; left as it is
 * @param now in ms, by a clock that only goes forward
 */
export function decide(desired: DesiredState | null, observed: Observed, memory: Memory, now: Instant): Decision {
  const next = copyMemory(memory);
  const jobs = desired?.jobs ?? [];
  const idle = jobs.length === 0 && observed.runs.length === 0;
  const turn = new Turn(now, now + (idle ? LOOK_IDLE_INTERVAL_MS : LOOK_INTERVAL_MS));
  const busy = new Set(observed.busy);

  // Before what is listed, which would otherwise pass for a run that vanished without a reason.
  for (const answer of observed.answers) if (answer.kind === "start-failed") noteStartFailed(next, answer, now);
  noteJobs(next, jobs, observed, busy, now);
  for (const answer of observed.answers) noteAnswer(next, jobs, answer, now);
  if (desired !== null) {
    notePhases(next, jobs, now);
    for (const job of jobs) if (!busy.has(job.job)) followPhase(turn, job, next.jobs[job.job]!);
    giveUpOthers(turn, next, observed, busy, jobs);
    syncRouters(turn, next, desired);
  }
  return { actions: turn.actions, memory: next, wakeInMs: Math.max(0, turn.wakeAt - now) };
}

/**
 * What of a memory is worth keeping on disk: no question in flight, no streak, nothing that the next minute tells
 * anyway. It is a memory itself; two that are equal here differ in nothing that has to survive the agent.
 */
export function keepMemory(memory: Memory): Memory {
  const kept = copyMemory(memory);
  for (const job of Object.values(kept.jobs)) {
    job.removeNextAt = 0;
    delete job.startDetail;
    const run = job.run;
    if (run !== null) {
      for (const check of Object.values(run.checks)) {
        Object.assign(check, { waiting: false, nextAt: 0, passes: 0, failures: 0, detail: "" });
      }
      Object.assign(run.identify, { waiting: false, nextAt: 0, detail: "" });
      Object.assign(run.idle, { waiting: false, nextAt: 0, once: false, twice: false });
      run.killNextAt = null;
    }
    if (job.router !== null) {
      const { incarnation, registered, replicas, synced } = job.router;
      job.router = { ...newRouter(incarnation, 0), registered, replicas, synced };
    }
  }
  return { jobs: kept.jobs, reach: {} };
}

/** Brings every job's memory in line with what is listed, and makes one for each job that has none yet. */
function noteJobs(memory: Memory, jobs: DesiredJob[], observed: Observed, busy: Set<string>, now: Instant): void {
  const listed = new Map(observed.runs.map((run) => [run.job, run]));
  for (const { job, replica } of [...jobs, ...observed.runs]) memory.jobs[job] ??= newJob(replica, now);
  for (const [id, job] of Object.entries(memory.jobs)) if (!busy.has(id)) followRun(job, listed.get(id), now);
}

/** An attempt that could not be started ended before it began. */
function noteStartFailed(memory: Memory, answer: Extract<Answer, { kind: "start-failed" }>, now: Instant): void {
  const job = memory.jobs[answer.job];
  if (!job?.starting || job.attempt !== answer.attempt) return;
  const tail = answer.detail.slice(0, END_TAIL_MAX);
  noteEnd(job, { exitCode: null, signal: null, outOfMemory: false, tail, neverStarted: true }, now);
}

/** An answer about a run that is over is dropped: it says nothing about the next one. */
function noteAnswer(memory: Memory, jobs: DesiredJob[], answer: Answer, now: Instant): void {
  if (answer.kind === "reached" || answer.kind === "heard") {
    noteReach(memory, answer, now);
    return;
  }
  const job = memory.jobs[answer.job];
  if (answer.kind === "starting") {
    if (job?.starting && job.attempt === answer.attempt) job.startDetail = answer.detail;
    return;
  }
  const run = job?.run;
  if (answer.kind === "start-failed" || !run?.alive || run.incarnation !== answer.incarnation) return;
  switch (answer.kind) {
    case "checked": {
      const desired = jobs.find((candidate) => candidate.job === answer.job);
      if (desired !== undefined) noteCheck(desired, run, { ...answer, check: answer.check as CheckName }, now);
      return;
    }
    case "identified":
      noteIdentity(run, answer, now);
      return;
    case "idle":
      noteIdle(run, answer, now);
      return;
    default:
      if (job?.router?.incarnation === answer.incarnation) noteRouter(job.router, answer, now);
  }
}

/** A phase counts from when it was first seen; seen again after a restart of the agent, it is the same one. */
function notePhases(memory: Memory, jobs: DesiredJob[], now: Instant): void {
  const kinds = new Map(jobs.map((job) => [job.job, job.phase.kind]));
  for (const [id, job] of Object.entries(memory.jobs)) {
    const kind = kinds.get(id) ?? "absent";
    if (job.phase.kind === kind) continue;
    job.phase = { kind, since: now };
    if (job.run !== null) Object.assign(job.run.idle, { nextAt: now, once: false, twice: false });
    // A run that was stopped on purpose says nothing against starting the next one at once.
    if (kind === "run" && job.run?.termAt != null) job.startAfter = now;
  }
}

function followPhase(turn: Turn, job: DesiredJob, memory: JobMemory): void {
  switch (job.phase.kind) {
    case "run":
      keepRunning(turn, job, memory);
      return;
    case "quiesce":
      quiesce(turn, job, memory, job.phase.withinMs);
      return;
    case "stop":
      stop(turn, job.job, memory, job.phase.withinMs);
      return;
  }
}

/** Stops and removes what is no longer desired, and forgets it once the runtime does not list it either. */
function giveUpOthers(turn: Turn, memory: Memory, observed: Observed, busy: Set<string>, jobs: DesiredJob[]): void {
  const wanted = new Set(jobs.map((job) => job.job));
  const listed = new Set(observed.runs.map((run) => run.job));
  for (const [id, job] of Object.entries(memory.jobs)) {
    if (wanted.has(id) || busy.has(id)) continue;
    if (!listed.has(id)) {
      delete memory.jobs[id];
      continue;
    }
    stop(turn, id, job, STOP_GRACE_MS);
    discard(turn, id, job);
  }
}

/** Routers that are stopping are left as they are: their streams end on the workers that they have. */
function syncRouters(turn: Turn, memory: Memory, desired: DesiredState): void {
  const live: { job: DesiredJob; memory: JobMemory; run: RunMemory }[] = [];
  for (const job of desired.jobs) {
    const known = memory.jobs[job.job]!;
    const run = known.run;
    if (job.router !== null && run?.alive && run.termAt === null) live.push({ job, memory: known, run });
  }
  askReach(turn, memory, new Set(live.flatMap(({ job }) => job.workers.map((worker) => worker.url))));
  const connects = (url: string) => memory.reach[url]?.connects === true;
  for (const { job, memory: known, run } of live) {
    known.router ??= newRouter(run.incarnation, turn.now);
    syncRouter(turn, job, desired.version, known.router, soundWorkers(job.workers, memory.reach, turn.now), connects);
  }
}
