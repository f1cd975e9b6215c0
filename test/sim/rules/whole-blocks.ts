import type { FleetEntity, HostEntity } from "../../../src/core/state.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/** How many accelerators of a host go to one job together, by what its fleet's file says. */
export function blockSize({ inventory }: HostEntity, fleet: FleetEntity): number {
  const { blocks } = fleet.settings;
  return blocks === "auto" ? 1 : Math.ceil(inventory.accelerators.length / blocks);
}

/** Of a host that is divided a job gets whole parts. */
export function wholeBlocks(ledger: Ledger, batch: CommitBatch): string | null {
  const { host: hosts, fleet: fleets } = ledger.state.tables;
  for (const job of batch.puts) {
    if (job.kind !== "job" || job.created !== batch.version) continue;
    const host = hosts.byId.get(job.host)!;
    const size = blockSize(host, fleets.byId.get(host.fleet)!);
    const partOf = (index: number) => Math.floor(index / size);
    const parts = new Set(job.accelerators.map(partOf));
    const missing = host.inventory.accelerators.find(
      ({ index }) => parts.has(partOf(index)) && !job.accelerators.includes(index),
    );
    if (missing) return `${job.id} gets ${job.accelerators.join(", ")} of ${job.host}, whose parts have ${size}`;
  }
  return null;
}
