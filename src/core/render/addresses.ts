import type { Draft } from "../draft.ts";
import { isActive } from "../replicas/lifecycle.ts";
import { groupOfReplica, revisionOf } from "../services/revision.ts";
import type { ReplicaEntity } from "../state.ts";

/** Where a reference to another replica's address is kept with a job: `groups[1].replicas[0]`. */
export function addressKey({ group, replica }: { group: number; replica: number }): string {
  return `groups[${group}].replicas[${replica}]`;
}

/**
 * What a replica's commands need to know of where others run: `groups[i].replicas[j]` is the j-th of the i-th group,
 * the oldest first. A job keeps what it was started with, also when the other one has moved since.
 * @returns why the replica has to wait while one of them has no place yet
 */
export function addressesFor(
  draft: Draft,
  replica: ReplicaEntity,
): { ok: true; addresses: Record<string, string> } | { ok: false; reason: string } {
  const addresses: Record<string, string> = {};
  for (const wanted of groupOfReplica(draft, replica).addresses) {
    const name = revisionOf(draft, replica).spec.groups[wanted.group]?.name ?? `number ${wanted.group}`;
    const other = oldestFirst(draft, replica.service, name)[wanted.replica];
    const [job] = other ? draft.by("job", "replica", other.id) : [];
    if (!job) return { ok: false, reason: `waits for the address of replica ${wanted.replica} of group ${name}` };
    addresses[addressKey(wanted)] = draft.must("host", job.host).inventory.address;
  }
  return { ok: true, addresses };
}

function oldestFirst(draft: Draft, service: string, group: string): ReplicaEntity[] {
  return draft
    .by("replica", "service", service)
    .filter((replica) => replica.group === group && isActive(replica))
    .sort((a, b) => a.createdAt - b.createdAt || serialOf(a) - serialOf(b));
}

/** Counts up over all replicas of a project. */
function serialOf({ id }: ReplicaEntity): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}
