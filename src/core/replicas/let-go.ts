import type { Draft } from "../draft.ts";
import { groupOfReplica } from "../services/revision.ts";
import type { ReplicaEntity } from "../state.ts";
import { appliedVersion, reportOf, routerReportOf } from "./observed.ts";

export function routersOf(draft: Draft, service: string): ReplicaEntity[] {
  return draft
    .by("replica", "service", service)
    .filter((replica) => groupOfReplica(draft, replica).resolved.role === "router");
}

/**
 * Whether a router's own agent has said that the router does not send to a worker any more, nor will be told to.
 * @param unlistedIn the commit from which the worker was not to be listed
 */
export function hasForgotten(draft: Draft, router: ReplicaEntity, worker: string, unlistedIn: number): boolean {
  return draft.by("job", "replica", router.id).every((job) => {
    // A router that was placed later never heard of the worker.
    if (job.created >= unlistedIn) return true;
    // One whose process has ended forgot it, and is not told of it again by an agent that knows of the commit.
    if (reportOf(draft, job)?.state === "backoff") return appliedVersion(draft, job) >= unlistedIn;
    const report = routerReportOf(draft, job);
    return report !== undefined && report.synced >= unlistedIn && !report.listed.includes(worker);
  });
}
