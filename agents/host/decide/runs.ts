import type { JobEnd } from "../../../src/wire/index.ts";
import type { RuntimeJob } from "../runtime/types.ts";
import {
  RECENT_ENDS_MAX,
  RECENT_ENDS_WINDOW_MS,
  RESTART_DELAY_FIRST_MS,
  RESTART_DELAY_MAX_MS,
  RESTART_RESET_MS,
} from "./timing.ts";
import type { Instant, JobMemory, RunMemory } from "./types.ts";

/** How a run ended that vanished while nobody looked, e.g. with a reboot. */
const UNKNOWN_END: JobEnd = { exitCode: null, signal: null, outOfMemory: false, tail: "" };

export function newJob(replica: string, now: Instant): JobMemory {
  return {
    replica,
    attempt: 0,
    starting: false,
    run: null,
    ends: [],
    endsInARow: 0,
    startAfter: now,
    lastEnd: null,
    phase: { kind: "run", since: now },
    removeNextAt: now,
    router: null,
  };
}

/** The pause before the next start after so many ends in a row: 1 s, 2 s, 4 s ... 30 s. */
export function restartDelayMs(endsInARow: number): number {
  const doublings = Math.max(0, endsInARow - 1);
  return Math.min(RESTART_DELAY_MAX_MS, RESTART_DELAY_FIRST_MS * 2 ** Math.min(doublings, 16));
}

/**
 * Brings a job's memory in line with what its runtime lists: a run that is new here is adopted, whoever started it; one
 * that is gone or over has ended.
 */
export function followRun(memory: JobMemory, listed: RuntimeJob | undefined, now: Instant): void {
  const current = listed !== undefined && (listed.state === "running" || listed.attempt >= memory.attempt);
  if (!current) {
    if (memory.run?.alive || memory.starting) noteEnd(memory, UNKNOWN_END, now);
    return;
  }
  if (memory.run?.incarnation !== listed.incarnation) {
    if (memory.run?.alive) noteEnd(memory, UNKNOWN_END, now);
    memory.run = newRun(listed, now);
    memory.attempt = Math.max(memory.attempt, listed.attempt);
    memory.router = null;
  }
  memory.starting = false;
  if (memory.run.alive && listed.state === "ended") {
    noteEnd(memory, listed.end ?? UNKNOWN_END, now, now - (listed.endedMsAgo ?? 0));
  }
}

/**
 * A run is over. One that was asked to end counts for nothing; one that ended by itself delays the next start.
 * @param endedAt when it ended, which may have been while there was no agent to see it
 */
export function noteEnd(memory: JobMemory, end: JobEnd, now: Instant, endedAt = now): void {
  const run = memory.run;
  const ended = run?.alive === true ? run : null;
  memory.starting = false;
  memory.router = null;
  memory.lastEnd = end;
  if (run !== null) {
    run.alive = false;
    run.ready = false;
  }
  if (ended !== null && ended.termAt !== null) return;
  const lasted = ended === null ? 0 : endedAt - ended.since;
  memory.endsInARow = lasted >= RESTART_RESET_MS ? 1 : memory.endsInARow + 1;
  memory.ends = [...recentEnds(memory, now), endedAt].slice(-RECENT_ENDS_MAX);
  memory.startAfter = endedAt + restartDelayMs(memory.endsInARow);
}

/** Ends by itself that are not older than the window. */
export function recentEnds(memory: JobMemory, now: Instant): Instant[] {
  return memory.ends.filter((at) => now - at < RECENT_ENDS_WINDOW_MS);
}

function newRun(listed: RuntimeJob, now: Instant): RunMemory {
  return {
    incarnation: listed.incarnation,
    attempt: listed.attempt,
    since: now - listed.ageMs,
    alive: true,
    termAt: null,
    killNextAt: null,
    checks: {},
    identify: { waiting: false, nextAt: now, identity: null, detail: "" },
    idle: { waiting: false, nextAt: now, once: false, twice: false },
    ready: false,
    everReady: false,
  };
}
