import type { DesiredJob } from "../../../src/wire/index.ts";
import { allPass, askChecks } from "./checks.ts";
import {
  IDENTIFY_INTERVAL_MS,
  IDLE_INTERVAL_MS,
  KILL_INTERVAL_MS,
  REMOVE_INTERVAL_MS,
  STOP_GRACE_MS,
} from "./timing.ts";
import type { Turn } from "./turn.ts";
import type { Answer, Instant, JobMemory, RunMemory } from "./types.ts";

/** Keeps a job running: starts it, restarts it after its back-off, and finds out whether it is ready. */
export function keepRunning(turn: Turn, job: DesiredJob, memory: JobMemory): void {
  const run = memory.run;
  if (run === null || !run.alive) {
    if (!turn.due(memory.startAfter)) return;
    memory.attempt += 1;
    memory.starting = true;
    delete memory.startDetail;
    turn.act({ kind: "start", job: job.job, attempt: memory.attempt });
    return;
  }
  // It was told to end before it was wanted again: it cannot be called back, so its next run is waited for.
  if (run.termAt !== null) {
    endBy(turn, job.job, run, run.termAt + STOP_GRACE_MS);
    return;
  }
  askChecks(turn, job, run);
  const passing = allPass(job, run);
  if (passing && run.identify.identity === null && hasIdentity(job)) {
    turn.ask(run.identify, { kind: "ask", job: job.job, incarnation: run.incarnation, check: "identify" });
  }
  run.ready = passing && isConfirmed(job, run);
  run.everReady ||= run.ready;
}

/** Ends a job once it is idle twice in a row or at its deadline. */
export function quiesce(turn: Turn, job: DesiredJob, memory: JobMemory, withinMs: number): void {
  const run = memory.run;
  if (run === null || !run.alive) return;
  if (run.termAt !== null) {
    endBy(turn, job.job, run, run.termAt + STOP_GRACE_MS);
    return;
  }
  if (turn.due(memory.phase.since + withinMs) || run.idle.twice) {
    endBy(turn, job.job, run, turn.now + STOP_GRACE_MS);
    return;
  }
  if (job.engine === null && job.behindRouter) return;
  turn.ask(run.idle, { kind: "ask", job: job.job, incarnation: run.incarnation, check: "idle" });
}

/** Ends a job now; what is left of it after `withinMs` is killed. */
export function stop(turn: Turn, job: string, memory: JobMemory, withinMs: number): void {
  if (memory.run?.alive) endBy(turn, job, memory.run, memory.phase.since + withinMs);
}

/** Removes the files of a job that has left the desired state, once nothing of it runs, or what killing did not end. */
export function discard(turn: Turn, job: string, memory: JobMemory): void {
  const killedLongAgo = turn.now >= memory.phase.since + STOP_GRACE_MS + REMOVE_INTERVAL_MS;
  if (memory.run?.alive && !killedLongAgo) return;
  if (!turn.due(memory.removeNextAt)) return;
  memory.removeNextAt = turn.now + REMOVE_INTERVAL_MS;
  turn.act({ kind: "remove", job });
}

export function noteIdentity(run: RunMemory, answer: Extract<Answer, { kind: "identified" }>, now: Instant): void {
  run.identify = {
    waiting: false,
    nextAt: now + IDENTIFY_INTERVAL_MS,
    identity: answer.identity,
    detail: answer.detail,
  };
}

/**
 * Takes in whether an engine is idle. One that was never ready in this run and has nothing listening cannot have been
 * sent anything, so it counts as idle; otherwise silence says nothing, and the deadline decides.
 */
export function noteIdle(run: RunMemory, answer: Extract<Answer, { kind: "idle" }>, now: Instant): void {
  const idle = answer.idle ?? (answer.refused && !run.everReady);
  run.idle = {
    waiting: false,
    nextAt: now + IDLE_INTERVAL_MS,
    once: idle,
    twice: idle && run.idle.once,
  };
}

/** Whether the engine has said that it is what the desired state says it is. */
export function isConfirmed(job: DesiredJob, run: RunMemory): boolean {
  return !hasIdentity(job) || run.identify.identity?.role === job.role;
}

/** A router tells nothing of itself, and of an engine that no adapter knows nothing can be asked. */
function hasIdentity(job: DesiredJob): boolean {
  return job.role !== "router" && job.engine !== null;
}

/** SIGTERM once (a second one makes engines give up their streams), then SIGKILL from `killAt` until nothing is left. */
function endBy(turn: Turn, job: string, run: RunMemory, killAt: Instant): void {
  if (run.termAt === null) {
    run.termAt = turn.now;
    run.ready = false;
    turn.act({ kind: "signal", job, signal: "SIGTERM" });
  }
  if (!turn.due(Math.max(killAt, run.killNextAt ?? killAt))) return;
  run.killNextAt = turn.now + KILL_INTERVAL_MS;
  turn.due(run.killNextAt);
  turn.act({ kind: "signal", job, signal: "SIGKILL" });
}
