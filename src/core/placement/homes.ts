import type { Role } from "../../spec/types.ts";
import type { Fabric } from "../../wire/index.ts";
import type { Draft } from "../draft.ts";
import { isActive } from "../replicas/lifecycle.ts";
import { groupOfReplica, revisionOf } from "../services/revision.ts";
import type { HostEntity, RevisionEntity } from "../state.ts";

/** Whether replicas of a role send each other their cache, for which they need a fast interconnect. */
export function exchangesCache(role: Role): boolean {
  return role === "prefill" || role === "decode";
}

/**
 * Which hosts are at home together. Those of a fleet with `placement: cluster` share an interconnect with each other and
 * with nobody else; of all others nothing is known, so they count as one home, `""`.
 */
export class Homes {
  private readonly draft: Draft;
  private readonly clusters: ReadonlySet<string>;

  constructor(draft: Draft) {
    this.draft = draft;
    const clusters = draft.all("fleet").filter(({ settings }) => settings.placement === "cluster");
    this.clusters = new Set(clusters.map(({ id }) => id));
  }

  isCluster({ fleet }: HostEntity): boolean {
    return this.clusters.has(fleet);
  }

  idOf(host: HostEntity): string {
    return this.isCluster(host) ? host.fleet : "";
  }

  /**
   * Where one more replica of a role may go for the sake of those with which it could be paired.
   * @param avoid homes where it shall not begin
   * @returns null where it may go anywhere: it exchanges no cache, or no fleet is a cluster
   */
  of(revision: RevisionEntity, role: Role, avoid: ReadonlySet<string>): Home | null {
    if (this.clusters.size === 0 || !exchangesCache(role)) return null;
    const home = new Home(this, avoid);
    for (const host of this.hostsOf(revision)) home.add(host);
    return home;
  }

  /** Hosts of the prefills and decodes that could be paired with those of a revision and are to stay. */
  hostsOf({ service, pairing }: RevisionEntity): HostEntity[] {
    return this.draft.by("replica", "service", service).flatMap((replica) => {
      const [job] = this.draft.by("job", "replica", replica.id);
      if (!job || !isActive(replica) || revisionOf(this.draft, replica).pairing !== pairing) return [];
      return exchangesCache(groupOfReplica(this.draft, replica).resolved.role)
        ? [this.draft.must("host", job.host)]
        : [];
    });
  }
}

/** The hosts of those that exchange their cache with each other. */
export class Home {
  private readonly homes: Homes;
  private readonly avoid: ReadonlySet<string>;
  /** By home: one of its fleets, and the kinds of fabric that the hosts there are known to have. */
  private readonly known = new Map<string, { fleet: string; fabrics: Set<Fabric["kind"]> }>();

  constructor(homes: Homes, avoid: ReadonlySet<string>) {
    this.homes = homes;
    this.avoid = avoid;
  }

  add(host: HostEntity): void {
    const id = this.homes.idOf(host);
    const known = this.known.get(id) ?? { fleet: host.fleet, fabrics: new Set() };
    this.known.set(id, known);
    if (host.inventory.fabric) known.fabrics.add(host.inventory.fabric.kind);
  }

  /**
   * Why a replica on a host would not share an interconnect with those it is paired with; null where nothing speaks
   * against it. Where they are in several homes already, because a fleet has become a cluster since, any of these will
   * do: a replacement that waits for ever would be worse.
   */
  whyApart(host: HostEntity): string | null {
    const id = this.homes.idOf(host);
    const [other] = this.known.values();
    if (!other) return this.avoid.has(id) ? `fleet ${host.fleet} has no room for all of the service` : null;
    const here = this.known.get(id);
    if (!here) {
      const shares = "whose hosts share an interconnect (`placement: cluster`)";
      return id === ""
        ? `is in fleet ${host.fleet}, the service's prefill and decode are in ${other.fleet}, ${shares}`
        : `is in fleet ${host.fleet}, ${shares}, the service's prefill and decode are in ${other.fleet}`;
    }
    const kind = host.inventory.fabric?.kind;
    if (id === "" || !kind || here.fabrics.size === 0 || here.fabrics.has(kind)) return null;
    return `its fabric is ${kind}, that of the service's prefill and decode in fleet ${host.fleet} is ${[...here.fabrics].sort().join(" and ")}`;
  }
}
