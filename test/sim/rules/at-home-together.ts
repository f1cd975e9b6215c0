import { exchangesCache } from "../../../src/core/placement/homes.ts";
import { isActive } from "../../../src/core/replicas/lifecycle.ts";
import { groupOfReplica, revisionOf } from "../../../src/core/services/revision.ts";
import type { JobEntity, ReplicaEntity } from "../../../src/core/state.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";

/**
 * A prefill or a decode is put where it shares an interconnect with those it could be paired with and that are to stay: in
 * the same fleet where one of them is a cluster. Those that are in several homes already, because a fleet has become a
 * cluster since, are no reason against any of these.
 */
export function atHomeTogether(ledger: Ledger, batch: CommitBatch): string | null {
  const { replica: replicas } = ledger.state.tables;
  for (const job of batch.puts) {
    if (job.kind !== "job" || job.created !== batch.version) continue;
    const replica = replicas.byId.get(job.replica)!;
    const homes = homesFor(ledger, replica, ({ created }) => created < batch.version);
    // Where none was before, what this commit has placed has one home.
    const all = homes.size > 0 ? homes : homesFor(ledger, replica, ({ id }) => id !== job.id);
    const home = homeOf(ledger, job.host);
    if (all.size > 0 && !all.has(home)) {
      return `${job.id} is put into ${inWords(home)}, and those that it is paired with are in ${[...all].map(inWords).join(", ")}`;
    }
  }
  return null;
}

/**
 * Where those are that a replica exchanges its cache with; empty where it may go anywhere.
 * @param counts which of their jobs are looked at
 */
export function homesFor(
  ledger: Ledger,
  own: ReplicaEntity,
  counts: (job: JobEntity) => boolean = () => true,
): Set<string> {
  const { state } = ledger;
  const { job: jobs, replica: replicas } = state.tables;
  const isOne = (replica: ReplicaEntity) => exchangesCache(groupOfReplica(state, replica).resolved.role);
  if (!isOne(own)) return new Set();
  const { pairing } = revisionOf(state, own);
  const mates = [...jobs.ids("service", own.service)].flatMap((id) => {
    const job = jobs.byId.get(id)!;
    const replica = replicas.byId.get(job.replica)!;
    const isMate = counts(job) && isActive(replica) && isOne(replica) && revisionOf(state, replica).pairing === pairing;
    return isMate ? [homeOf(ledger, job.host)] : [];
  });
  return new Set(mates);
}

/** The fleet of a host that is a cluster; empty for all other hosts together. */
export function homeOf({ state }: Ledger, id: string): string {
  const { host: hosts, fleet: fleets } = state.tables;
  const { fleet } = hosts.byId.get(id)!;
  return fleets.byId.get(fleet)!.settings.placement === "cluster" ? fleet : "";
}

function inWords(home: string): string {
  return home === "" ? "no cluster" : `the cluster ${home}`;
}
