import type { Draft } from "../draft.ts";
import { isActive } from "../replicas/lifecycle.ts";
import { dialsIn, groupOfReplica, type RevisionGroup, revisionOf } from "../services/revision.ts";
import type { HostEntity, JobEntity, ReplicaEntity, RevisionEntity } from "../state.ts";
import { type BrokenWay, brokenBetween, type End } from "./reach.ts";

/** A replica that has its place, as one end of its service's connections. */
interface Mate extends End {
  replica: ReplicaEntity;
  pairing: string;
}

/**
 * Why a replica would be of no use on a host, by what is known of the ways between hosts.
 *
 * A router and a worker are of use to each other as long as each reaches one of the other's role: the agent beside the
 * router takes the workers out that it does not reach. A prefill and a decode need every one of the other's role that they
 * could be paired with, since the router pairs them as it likes. Those that no router reaches are sent nothing, so they
 * keep nobody away.
 *
 * @returns null where nothing speaks against it; what is not known does not
 */
export function whyOfNoUse(
  draft: Draft,
  revision: RevisionEntity,
  { resolved: { role } }: RevisionGroup,
  host: HostEntity,
  ports: JobEntity["ports"],
): BrokenWay | null {
  const dials = dialsIn(revision);
  const own: End = { role, host, ports };
  const mates = matesOf(draft, revision.service);
  const routers = mates.filter((mate) => mate.role === "router");
  const between = (a: End, b: End) => brokenBetween(draft.state, dials, a, b);
  const isSentTo = (mate: Mate) => routers.length === 0 || routers.some((router) => !between(router, mate));
  for (const other of new Set(mates.map((mate) => mate.role))) {
    const ofRole = mates.filter((mate) => mate.role === other);
    if (role === "router" || other === "router") {
      const broken = ofRole.map((mate) => between(own, mate));
      if (broken[0] && broken.every((way) => way !== null)) return broken[0];
      continue;
    }
    for (const mate of ofRole) {
      const way = mate.pairing === revision.pairing && isSentTo(mate) ? between(own, mate) : null;
      if (way) return way;
    }
  }
  return null;
}

/** Those of a service that have a place and are to stay there; one whose host is lost is replaced. */
function matesOf(draft: Draft, service: string): Mate[] {
  return draft.by("replica", "service", service).flatMap((replica) => {
    const [job] = draft.by("job", "replica", replica.id);
    if (!job || !isActive(replica)) return [];
    const { role } = groupOfReplica(draft, replica).resolved;
    const { pairing } = revisionOf(draft, replica);
    return { replica, role, pairing, host: draft.must("host", job.host), ports: job.ports };
  });
}

/** By replica of a service: the first connection, of those that it needs, that is known not to be made. */
export function brokenWaysOf(draft: Draft, revision: RevisionEntity): Map<string, BrokenWay> {
  const dials = dialsIn(revision);
  const ways = new Map<string, BrokenWay>();
  const byHost = Map.groupBy(matesOf(draft, revision.service), ({ host }) => host.id);
  for (const [host, here] of byHost) {
    for (const other of draft.state.observed.get(host)?.unreached.keys() ?? []) {
      for (const [a, b] of here.flatMap((mate) => (byHost.get(other) ?? []).map((there) => [mate, there] as const))) {
        const way = brokenBetween(draft.state, dials, a, b);
        for (const { replica } of way ? [a, b] : []) if (!ways.has(replica.id)) ways.set(replica.id, way as BrokenWay);
      }
    }
  }
  return ways;
}
