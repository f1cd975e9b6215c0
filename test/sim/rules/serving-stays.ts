import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/**
 * The replicas that are ready and that a commit, not taken in yet, takes out. Those that are replaced because they ended
 * several times did not serve then, whether their host was heard of meanwhile or not.
 */
export function readyAndTakenOut(ledger: Ledger, batch: CommitBatch): string[] {
  const failing = new Set(batch.events.flatMap(({ type, replica }) => (type === "replica.suspect" ? replica : [])));
  return batch.events.flatMap(({ type, replica, message }) => {
    if (type !== "replica.unlisting" || !replica || failing.has(replica)) return [];
    if (message.includes(" times within ")) return [];
    return ledger.replica(replica)?.status === "ready" ? [replica] : [];
  });
}

/**
 * Of a service that runs nothing that serves is taken out, whatever is known of its host, unless as many others serve as
 * are wanted.
 * @param takenOut what `readyAndTakenOut` found before the commit was taken in
 */
export function servingStays(ledger: Ledger, takenOut: string[]): string | null {
  const { service: services, replica: replicas } = ledger.state.tables;
  for (const id of takenOut) {
    const replica = ledger.replica(id);
    const service = replica && services.byId.get(replica.service);
    if (service?.status !== "running") continue;
    const wanted = service.wanted[replica!.group] ?? 0;
    const ready = [...replicas.ids("service", service.id)].filter((other) => {
      const { group, status } = replicas.byId.get(other)!;
      return group === replica!.group && status === "ready";
    }).length;
    if (ready < wanted) return `${id} serves and is taken out, and ${ready} of ${wanted} others of its group serve`;
  }
  return null;
}
