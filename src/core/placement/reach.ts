import type { Dial, PortClaim } from "../../adapters/types.ts";
import type { Role } from "../../spec/types.ts";
import type { ProjectState, Unreached } from "../project-state.ts";
import type { HostEntity, Millis } from "../state.ts";

/** A connection that cannot be made, as the host that tried it says. */
export interface BrokenWay {
  from: HostEntity;
  to: HostEntity;
  port: number;
  why: string;
  since: Millis;
}

/** What stands at one end of a connection within a service. */
export interface End {
  role: Role;
  host: HostEntity;
  ports: readonly { name: string; port: number }[];
}

/** What is known against a connection between two hosts; null: it was made, or nothing is known. */
function brokenWay(state: ProjectState, from: HostEntity, to: HostEntity, port: number): BrokenWay | null {
  const said = unreachedFrom(state, from, to);
  if (!said || !(said.whole || said.ports.includes(port))) return null;
  return { from, to, port, why: said.why, since: said.since };
}

/** A host that is gone is not reached either, and nothing is said of one that has another address since. */
function unreachedFrom(state: ProjectState, from: HostEntity, to: HostEntity): Unreached | null {
  const said = state.observed.get(from.id)?.unreached.get(to.id);
  if (!said || said.address !== to.inventory.address) return null;
  return state.present.has(from.id) && state.present.has(to.id) ? said : null;
}

/** The first connection, of those that two replicas of a service need of each other, that is known not to be made. */
export function brokenBetween(state: ProjectState, dials: readonly Dial[], a: End, b: End): BrokenWay | null {
  if (a.host.id === b.host.id) return null;
  for (const { from, to, port } of dials) {
    const ways = [
      ...(from === a.role && to === b.role ? [{ from: a.host, to: b }] : []),
      ...(from === b.role && to === a.role ? [{ from: b.host, to: a }] : []),
    ];
    for (const way of ways) {
      const number = portOf(way.to, port);
      const broken = number === null ? null : brokenWay(state, way.from, way.to.host, number);
      if (broken) return broken;
    }
  }
  return null;
}

function portOf({ ports }: End, name: PortClaim["name"]): number | null {
  return ports.find((claim) => claim.name === name)?.port ?? null;
}

/** One host that does not reach another, with all ports of which that is known. */
export interface BrokenPair extends Omit<BrokenWay, "port"> {
  ports: readonly number[];
}

/** By host, what is known of it in either direction: what it does not reach, and what does not reach it. */
export function brokenPairs(state: ProjectState): Map<string, BrokenPair[]> {
  const pairs = new Map<string, BrokenPair[]>();
  for (const [id, { unreached }] of state.observed) {
    const from = unreached.size === 0 ? undefined : state.tables.host.byId.get(id);
    if (!from) continue;
    for (const other of unreached.keys()) {
      const to = state.tables.host.byId.get(other);
      const said = to && unreachedFrom(state, from, to);
      if (!said) continue;
      const { ports, why, since } = said;
      for (const host of [id, other]) {
        pairs.set(host, [...(pairs.get(host) ?? []), { from, to, ports, why, since }]);
      }
    }
  }
  return pairs;
}

/** Said of a host on which something is to be placed, after its name. */
export function whyOutOfReach({ from, to, port, why }: BrokenWay, host: HostEntity): string {
  const at = `at ${to.inventory.address} port ${port}: ${why}`;
  return host.id === from.id ? `cannot reach ${to.name} ${at}` : `cannot be reached by ${from.name} ${at}`;
}

/** Said of two hosts. */
export function describeWay({ from, to, port, why }: BrokenWay): string {
  return `${from.name} cannot reach ${to.name} at ${to.inventory.address} port ${port}: ${why}`;
}
