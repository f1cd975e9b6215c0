import type { CommitBatch, Credential } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/** No job is put on a host that somebody took out, or of which something is broken. */
export function nothingNewWhenTakenOut(ledger: Ledger, batch: CommitBatch): string | null {
  for (const entity of batch.puts) {
    if (entity.kind !== "job" || entity.created !== batch.version) continue;
    const { cordons, inventory } = ledger.state.tables.host.byId.get(entity.host)!;
    const where = `${entity.id} is put on ${entity.host}`;
    if (cordons.operator) return `${where}, which is ${cordons.operator.drain ? "drained" : "cordoned"}`;
    const [problem] = inventory.problems;
    if (problem) return `${where}, of which ${problem.message}`;
  }
  return null;
}

/** The replicas that are ready and that a commit, not taken in yet, takes off a drained host. */
export function readyAndDrained(ledger: Ledger, batch: CommitBatch): string[] {
  return batch.events.flatMap(({ type, replica, message }) => {
    const isDrained = type === "replica.unlisting" && message.endsWith("is drained");
    return isDrained && replica && ledger.replica(replica)?.status === "ready" ? [replica] : [];
  });
}

/** Of what a drain takes away enough others are ready. */
export function replacedFirst(ledger: Ledger, drained: string[]): string | null {
  const { service: services, replica: replicas } = ledger.state.tables;
  for (const id of drained) {
    const replica = ledger.replica(id);
    if (!replica) continue;
    const wanted = services.byId.get(replica.service)?.wanted[replica.group] ?? 0;
    const ready = [...replicas.ids("service", replica.service)].filter((other) => {
      const { group, status } = replicas.byId.get(other)!;
      return group === replica.group && status === "ready";
    }).length;
    if (ready < wanted) return `${id} is drained, and ${ready} of ${wanted} others of its group are ready`;
  }
  return null;
}

/** On a host that was removed nothing is promised, and no credential opens a link for it. */
export function nothingLeftBehind(
  ledger: Ledger,
  batch: CommitBatch,
  alive: () => readonly Credential[],
): string | null {
  const { job: jobs } = ledger.state.tables;
  for (const { kind, id } of batch.deletes) {
    if (kind !== "host") continue;
    const left = [...jobs.ids("host", id)];
    if (left.length > 0) return `${id} was removed and ${left.join(", ")} is left of it`;
    const credential = alive().find((each) => each.kind === "host" && each.subject === id);
    if (credential) return `${id} was removed and its credential lives`;
  }
  return null;
}
