import type { DesiredJob } from "../../../src/wire/index.ts";
import {
  PORT_INTERVAL_MS,
  PORT_LOOK_INTERVAL_MS,
  PROBE_FAILURES_MAX,
  READINESS_INTERVAL_MS,
  STARTING_PROBE_INTERVAL_MS,
} from "./timing.ts";
import type { Turn } from "./turn.ts";
import type { CheckMemory, Instant, RunMemory } from "./types.ts";

export type CheckName = `probe:${number}` | "readiness" | "port";

interface CheckRule {
  name: CheckName;
  intervalMs: number;
  readyAfter: number;
  untilReady: boolean;
}

/**
 * That the job itself listens on its port. Asked first once all else passes, since a stranger that has the port may answer
 * every probe, and a job may have none; and from then on, since a process that goes on living may stop to listen.
 */
const PORT: CheckRule = { name: "port", intervalMs: PORT_LOOK_INTERVAL_MS, readyAfter: 1, untilReady: false };

/**
 * What has to pass before a job is ready: its probes, for a router that it would serve now, and at last that it is the
 * one who answers.
 */
export function checksOf(job: DesiredJob): CheckRule[] {
  const probes: CheckRule[] = job.probes.map((probe, index) => ({
    name: `probe:${index}`,
    intervalMs: probe.intervalMs,
    readyAfter: probe.readyAfter,
    untilReady: probe.untilReady,
  }));
  if (job.router === null) return [...probes, PORT];
  const readiness: CheckRule = {
    name: "readiness",
    intervalMs: READINESS_INTERVAL_MS,
    readyAfter: 1,
    untilReady: false,
  };
  return [...probes, readiness, PORT];
}

/** Asks every check of a run that is due. A check that only had to pass once is left alone after that. */
export function askChecks(turn: Turn, job: DesiredJob, run: RunMemory): void {
  for (const rule of checksOf(job)) {
    const check = checkOf(run, rule.name);
    if (rule.untilReady && check.everPassed) continue;
    if (rule === PORT && !check.everPassed && !othersPass(job, run)) continue;
    turn.ask(check, { kind: "ask", job: job.job, incarnation: run.incarnation, check: rule.name });
  }
}

/**
 * Takes in one answer. Before a check has passed for the first time (`readyAfter` successes in a row) a failure only
 * breaks the row; from then on three failures in a row end it and one success restores it.
 */
export function noteCheck(
  job: DesiredJob,
  run: RunMemory,
  answer: { check: CheckName; ok: boolean; detail: string },
  now: Instant,
): void {
  const rule = checksOf(job).find((candidate) => candidate.name === answer.check);
  if (rule === undefined) return;
  const check = checkOf(run, rule.name);
  check.waiting = false;
  check.detail = answer.ok ? "" : answer.detail;
  if (answer.ok) {
    check.passes += 1;
    check.failures = 0;
    if (check.everPassed || check.passes >= rule.readyAfter) check.passing = check.everPassed = true;
  } else {
    check.passes = 0;
    check.failures += 1;
    if (check.failures >= PROBE_FAILURES_MAX) check.passing = false;
  }
  check.nextAt = rule === PORT ? nextLook(answer.ok, now) : now + pauseAfter(check, rule);
}

/** Of every port at the same moments: one reading of the kernel's table tells of them all. */
function nextLook(ok: boolean, now: Instant): Instant {
  return ok ? (Math.floor(now / PORT_LOOK_INTERVAL_MS) + 1) * PORT_LOOK_INTERVAL_MS : now + PORT_INTERVAL_MS;
}

function pauseAfter({ everPassed, passes }: CheckMemory, { intervalMs }: CheckRule): number {
  return everPassed || passes > 0 ? intervalMs : Math.min(intervalMs, STARTING_PROBE_INTERVAL_MS);
}

/** Whether all that has to pass does; a job without any check passes at once. */
export function allPass(job: DesiredJob, run: RunMemory): boolean {
  return checksOf(job).every((rule) => checkOf(run, rule.name).passing);
}

function othersPass(job: DesiredJob, run: RunMemory): boolean {
  return checksOf(job).every((rule) => rule === PORT || checkOf(run, rule.name).passing);
}

function checkOf(run: RunMemory, name: CheckName): CheckMemory {
  // One that an agent of before made ready, which did not look, stays so until a look says otherwise.
  const isKnown = name === PORT.name && run.everReady;
  run.checks[name] ??= {
    waiting: false,
    nextAt: run.since,
    passes: 0,
    failures: 0,
    passing: isKnown,
    everPassed: isKnown,
    detail: "",
  };
  return run.checks[name];
}
