import type { JobReport, RouterReport } from "../../wire/index.ts";
import type { Draft } from "../draft.ts";
import type { ProjectState } from "../project-state.ts";
import type { JobEntity } from "../state.ts";

/** What the host of a job says of it. A host is only ever asked about jobs that were given to it. */
export function reportOf(source: Draft | ProjectState, job: JobEntity): JobReport | undefined {
  return observedHost(source, job)?.jobs.get(job.id);
}

/** What the host of a router's job says of the router's list. */
export function routerReportOf(source: Draft | ProjectState, job: JobEntity): RouterReport | undefined {
  return observedHost(source, job)?.routers.get(job.id);
}

/**
 * Whether nothing of a job is left: its host, which acts on a desired state that has the job, says that it has ended
 * or does not name it.
 */
export function jobIsGone(source: Draft | ProjectState, job: JobEntity): boolean {
  const observed = observedHost(source, job);
  if (!observed || observed.report.applied.version < job.created) return false;
  const report = observed.jobs.get(job.id);
  return !report || report.state === "ended";
}

/** The version of the desired state that a job's host acted on when it last reported; 0 while nothing is known. */
export function appliedVersion(source: Draft | ProjectState, job: JobEntity): number {
  return observedHost(source, job)?.report.applied.version ?? 0;
}

function observedHost(source: Draft | ProjectState, job: JobEntity) {
  const state = "state" in source ? source.state : source;
  return state.observed.get(job.host);
}
