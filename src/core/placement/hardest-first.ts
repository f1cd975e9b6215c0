import type { Draft } from "../draft.ts";
import { groupOfReplica, type RevisionGroup } from "../services/revision.ts";
import type { ReplicaEntity } from "../state.ts";

/**
 * Replicas by group, those first that fewest hosts can take: who wants the most accelerators, then the most ports that
 * nothing else may have, then the most memory, then the most cpus; then by name.
 */
export function hardestFirst(draft: Draft, replicas: ReplicaEntity[]): ReplicaEntity[][] {
  return [...Map.groupBy(replicas, ({ revision, group }) => `${group}@${revision}`)]
    .map(([name, members]) => ({
      name,
      members,
      demands: demandsOf(groupOfReplica(draft, members[0] as ReplicaEntity)),
    }))
    .sort((a, b) => compare(b.demands, a.demands) || (a.name < b.name ? -1 : 1))
    .map(({ members }) => members);
}

function demandsOf({ spec, resolved }: RevisionGroup): number[] {
  const { gpu, memory, cpu } = spec.resources;
  const fixed = resolved.ports.filter((claim) => !claim.env).length;
  return [gpu.count.min, fixed, memory.min, cpu.count.min];
}

function compare(a: number[], b: number[]): number {
  const at = a.findIndex((demand, index) => demand !== b[index]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}
