import { groupOfReplica } from "../../../src/core/services/revision.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/**
 * What has an image runs in a container where its fleet has any, on a host that has an engine now; all else does not, and
 * is nowhere that allows no processes.
 */
export function rightRuntime(ledger: Ledger, batch: CommitBatch): string | null {
  const { host: hosts, replica: replicas, fleet: fleets } = ledger.state.tables;
  for (const job of batch.puts) {
    if (job.kind !== "job" || job.created !== batch.version) continue;
    const replica = replicas.byId.get(job.replica)!;
    const host = hosts.byId.get(job.host)!;
    const where = `${job.id} is put on ${job.host} as ${job.runtime}`;
    if (!host.inventory.runtimes.includes(job.runtime)) return `${where}, which it does not offer`;
    const hasImage = groupOfReplica(ledger.state, replica).image !== null;
    const others = [...hosts.byId.values()].filter(({ fleet }) => fleet === host.fleet);
    const wanted = hasImage && others.some(({ offeredContainers }) => offeredContainers) ? "docker" : "process";
    if (job.runtime !== wanted) return `${where}, and should be ${wanted}`;
    const { allow } = fleets.byId.get(host.fleet)!.settings;
    if (job.runtime === "process" && !allow.processes) return `${where}, and its fleet allows no processes`;
  }
  return null;
}
