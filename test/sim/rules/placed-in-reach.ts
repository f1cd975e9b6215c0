import { isActive } from "../../../src/core/replicas/lifecycle.ts";
import { groupOfReplica } from "../../../src/core/services/revision.ts";
import type { JobEntity } from "../../../src/core/state.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/** What stands on a host for a replica that is to stay there. */
interface Placed {
  job: JobEntity;
  role: string;
}

/**
 * A worker is put on no host that none of its service's routers reaches, and a router on none from which it reaches none
 * of a role. What was put there by the same commit may have come later, so at least one has been there before.
 * @param isCut whether the server that decided knows that the one host does not reach the other
 */
export function placedInReach(
  ledger: Ledger,
  batch: CommitBatch,
  isCut: (from: string, to: string) => boolean,
): string | null {
  for (const job of batch.puts) {
    if (job.kind !== "job" || job.created !== batch.version) continue;
    const all = placedOf(ledger, job.service);
    const own = all.find((placed) => placed.job.id === job.id);
    if (!own) continue;
    const others = Map.groupBy(all, ({ role }) => role);
    for (const [role, mates] of others) {
      if ((role === "router") === (own.role === "router")) continue;
      const isOutOfReach = ({ job: mate }: Placed) =>
        role === "router" ? isCut(mate.host, job.host) : isCut(job.host, mate.host);
      if (mates.every(({ job: mate }) => mate.created === batch.version) || !mates.every(isOutOfReach)) continue;
      return `${job.id} is put on ${job.host}, and no ${role} of its service is reached from there, or reaches it`;
    }
  }
  return null;
}

function placedOf({ state }: Ledger, service: string): Placed[] {
  const { job: jobs, replica: replicas } = state.tables;
  return [...jobs.ids("service", service)].flatMap((id) => {
    const job = jobs.byId.get(id)!;
    const replica = replicas.byId.get(job.replica);
    return replica && isActive(replica) ? [{ job, role: groupOfReplica(state, replica).resolved.role }] : [];
  });
}
