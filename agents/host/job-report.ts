import { blotted } from "../../src/blotted.ts";
import type { DesiredJob, DesiredState, JobReport, JobState, RouterReport } from "../../src/wire/index.ts";
import { checksOf } from "./decide/checks.ts";
import { isConfirmed } from "./decide/phases.ts";
import { listedReplicas } from "./decide/router.ts";
import { newJob, recentEnds } from "./decide/runs.ts";
import type { Instant, JobMemory, Memory, RunMemory } from "./decide/types.ts";

/** Bound of the wire on a message. */
const MESSAGE_MAX = 500;

/**
 * What the control plane is told of every job that is wanted or still here. One that has just become wanted and was not
 * decided about yet is told too: left out, it would pass for one of which nothing is left. Pure.
 */
export function reportJobs(desired: DesiredState | null, memory: Memory, now: Instant): JobReport[] {
  const undecided = (desired?.jobs ?? [])
    .filter(({ job }) => memory.jobs[job] === undefined)
    .map(({ job, replica, phase }): [string, JobMemory] => [
      job,
      { ...newJob(replica, now), starting: true, phase: { kind: phase.kind, since: now } },
    ]);
  return [...Object.entries(memory.jobs), ...undecided].map(([id, job]) => {
    const wanted = desired?.jobs.find((candidate) => candidate.job === id) ?? null;
    const identity = job.run?.alive ? job.run.identify.identity : null;
    return {
      job: id,
      replica: job.replica,
      state: stateOf(job),
      attempt: job.run?.alive ? job.run.attempt : job.attempt,
      recentEnds: recentEnds(job, now).length,
      lastEnd: job.lastEnd,
      confirmed: identity === null ? null : { role: identity.role, bootstrapPort: identity.bootstrapPort },
      message: messageOf(wanted, job).slice(0, MESSAGE_MAX),
    };
  });
}

/** What is known of the list of every router that runs here and has been asked. Pure. */
export function reportRouters(memory: Memory): RouterReport[] {
  return Object.entries(memory.jobs).flatMap(([job, { replica, router }]) => {
    if (router === null || router.listed === null) return [];
    return [{ job, replica, incarnation: router.incarnation, listed: listedReplicas(router), synced: router.synced }];
  });
}

/** Where a job stands. */
export function stateOf(job: JobMemory): JobState {
  const run = job.run?.alive ? job.run : null;
  const pending = run !== null || job.starting;
  switch (job.phase.kind) {
    case "quiesce":
      return pending ? "quiescing" : "ended";
    case "stop":
    case "absent":
      return pending ? "stopping" : "ended";
    case "run":
      if (run === null) return job.starting || job.attempt === 0 ? "starting" : "backoff";
      if (run.ready) return "ready";
      return run.everReady ? "unready" : "starting";
  }
}

/** No countdown and no age in it: a message that changed every second would be a report every second. */
function messageOf(wanted: DesiredJob | null, job: JobMemory): string {
  const run = job.run?.alive ? job.run : null;
  switch (job.phase.kind) {
    case "quiesce":
      if (run === null) return "stopped";
      if (run.termAt !== null) return "told to end";
      return wanted?.engine === null && wanted.behindRouter
        ? "waits for its deadline: it cannot be asked whether it is idle"
        : "waits to be idle";
    case "stop":
    case "absent":
      return run === null ? "stopped" : "told to end";
    case "run":
      if (run !== null) return wanted === null ? "found running" : runMessage(wanted, run, job);
      if (job.starting && job.startDetail !== undefined) return job.startDetail;
      if (job.attempt === 0 || job.starting) return "starts";
      return `${endText(job)}; will be started again`;
  }
}

function runMessage(job: DesiredJob, run: RunMemory, memory: JobMemory): string {
  if (run.termAt !== null) return "told to end; will be started again";
  const failing = checksOf(job).find((rule) => !run.checks[rule.name]?.passing);
  if (failing?.name === "port") return portText(job, run);
  if (failing !== undefined) {
    const detail = run.checks[failing.name]?.detail ?? "";
    return `${checkText(job, failing.name)}: ${detail === "" ? "not asked enough times yet" : detail}`;
  }
  const { identity, detail } = run.identify;
  if (!isConfirmed(job, run)) {
    if (identity === null) return `${job.engine} has not told its role yet${detail === "" ? "" : `: ${detail}`}`;
    return `It is to be a ${job.role} worker, but ${job.engine} says that it runs as ${identity.role}. Make the role of the group and its commands agree.`;
  }
  const refused = Object.entries(memory.router?.offered ?? {}).find(([, offer]) => offer.detail !== "");
  return refused === undefined ? "" : `the router does not list ${refused[0]}: ${refused[1].detail}`;
}

function portText({ port }: DesiredJob, { checks, everReady }: RunMemory): string {
  const look = checks.port;
  if (look === undefined || look.failures === 0) return "looks who listens on its port";
  return look.detail || `nothing listens on port ${port} ${everReady ? "any more" : "yet"}`;
}

function checkText(job: DesiredJob, check: string): string {
  if (check === "readiness") return "the router does not serve yet";
  const probe = job.probes[Number(check.slice("probe:".length))];
  if (probe === undefined) return check;
  // A path may be filled with variables of the job, which are no one's to read in a report.
  return `probe ${probe.method.toUpperCase()} ${blotted(probe.path, Object.values(job.launch.env), "...")}`;
}

function endText({ lastEnd: end }: JobMemory): string {
  if (end === null) return "ended";
  if (end.neverStarted) return `could not be started: ${end.tail}`;
  if (end.outOfMemory) return "ended: out of memory";
  if (end.signal !== null) return `ended by ${end.signal}`;
  if (end.exitCode !== null) return `ended with exit code ${end.exitCode}`;
  return "ended, nobody saw how";
}
