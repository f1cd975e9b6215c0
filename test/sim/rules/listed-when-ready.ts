import { isDraining } from "../../../src/core/replicas/lifecycle.ts";
import { desiredWorkers } from "../../../src/core/replicas/listing.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";
import type { Smg } from "../smg.ts";
import type { World } from "../world.ts";

/** What routers are told to list was ready once, and does not drain. */
export function listedWhenReady(ledger: Ledger, batch: CommitBatch): string | null {
  const services = new Set<string>();
  for (const entity of batch.puts) if (entity.kind === "replica") services.add(entity.service);
  for (const service of services) {
    for (const { replica: id } of desiredWorkers(ledger.state, service)) {
      const replica = ledger.replica(id);
      if (!replica || !ledger.everReady.has(id)) return `${id} shall be listed and was never ready`;
      if (isDraining(replica)) return `${id} shall be listed and is ${replica.status}`;
    }
  }
  return null;
}

/**
 * What a router really lists, also one that is cut off, was ready once, as far as it is of the router's own service. What
 * SMG lists by a retry of its own is left out: it can neither be told to stop that (1.13.0 takes neither a removal nor a
 * bound on its attempts) nor asked about it.
 */
export function registeredWhenReady(world: World, smg: Smg): string | null {
  const { process } = smg;
  const ledger = world.ledger(process.machine.spec.project);
  for (const { url } of smg.live()) {
    if (smg.isLate(url)) continue;
    const worker = world.reach(process.machine, url);
    if (worker && worker.service === process.service && !ledger.everReady.has(worker.replica)) {
      return `${process.job} lists ${worker.replica}, which was never ready`;
    }
  }
  return null;
}
