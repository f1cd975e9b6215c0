import type { DesiredJob, JobReport, Report, RouterReport } from "../../src/wire/index.ts";
import { plainInventory } from "./inventories.ts";

/** A small machine without accelerators. */
export const INVENTORY = plainInventory({ cpus: 8, memoryGib: 16, diskGib: 200 });

/** The first report of an agent that was told nothing yet, on machine `m1`, but for what is said otherwise. */
export function reportOf(over: Partial<Report> = {}): Report {
  return {
    agent: { version: "0", bootId: "b", machine: "m1", incarnation: "i1" },
    seq: 1,
    applied: { version: 0, hash: "" },
    inventory: INVENTORY,
    busyPorts: [],
    jobs: [],
    routers: [],
    peers: null,
    ...over,
  };
}

/** What is reported of a job that runs well in its first attempt, but for what is said otherwise. */
export function jobReportOf(
  { job, replica }: Pick<DesiredJob, "job" | "replica">,
  over: Partial<JobReport> = {},
): JobReport {
  return {
    job,
    replica,
    state: "ready",
    attempt: 1,
    recentEnds: 0,
    lastEnd: null,
    confirmed: null,
    message: "",
    ...over,
  };
}

/** What is reported of a router that lists these replicas, in line with a desired state of this version. */
export function routerReportOf({ job, replica }: DesiredJob, listed: string[], synced: number): RouterReport {
  return { job, replica, incarnation: "1", listed, synced };
}
