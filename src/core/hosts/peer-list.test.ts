import { expect, it } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { decodeGroup, groupSpec, prefillGroup, routerGroup, serviceSpec } from "../../../test/support/specs.ts";
import { PEERS_MAX, type PeersReport, peerList } from "../../wire/index.ts";
import type { HostEntity } from "../state.ts";
import { peersFor } from "./peer-list.ts";

const NOTHING: PeersReport = { tag: "", round: 0, unreached: [] };

/** Of hosts `h000`, `h001`, ... */
function fleetOf(count: number): World {
  const world = new World();
  for (let i = 0; i < count; i += 1) world.addHost(nameOf(i));
  return world;
}

const nameOf = (i: number) => `h${String(i).padStart(3, "0")}`;

const listOf = (world: World, host: string, said: Partial<PeersReport> = {}) =>
  peerList.parse(peersFor(world.state, world.state.tables.host.byId.get(host) as HostEntity, { ...NOTHING, ...said }));

const named = (world: World, host: string, said?: Partial<PeersReport>) =>
  listOf(world, host, said).hosts.map((peer) => peer.host);

it("names the other hosts of the fleet that are connected, at the addresses that they have now", () => {
  const world = fleetOf(4);
  world.addHost("elsewhere", {}, "other-fleet");
  world.freeze("h003", true);
  world.move("h001");
  expect(listOf(world, "h000").hosts).toEqual([
    { host: "h001", address: "10.1.h001", ports: [8_000] },
    { host: "h002", address: "10.0.0.3", ports: [8_000] },
  ]);
});

it("names no host that has the same address, nor one that others cannot reach by definition", () => {
  const world = fleetOf(1);
  world.addHost("twin", { address: "10.0.0.1" });
  world.addHost("loopback", { address: "127.0.0.1" });
  world.addHost("loopback6", { address: "::1" });
  expect(named(world, "h000")).toEqual([]);
});

it("lets hosts without services try one port, seldom", () => {
  const { everyMs, hosts } = listOf(fleetOf(2), "h000");
  expect({ everyMs, hosts }).toEqual({
    everyMs: 3_600_000,
    hosts: [{ host: "h001", address: "10.0.0.2", ports: [8_000] }],
  });
});

it("names the ports that replicas dial: those of what runs on a host, and those of what would", () => {
  const world = fleetOf(2);
  world.apply(serviceSpec("pd", [routerGroup(), prefillGroup(1), decodeGroup(1)]));
  world.apply(serviceSpec("web", [groupSpec("web", ["serve"], { port: 9_000 })]));
  world.settle();
  const { everyMs, hosts } = listOf(world, "h000");
  const onOther = world.state.tables.job.ids("host", "h001");
  expect(onOther.size).toBeGreaterThan(0);
  expect(everyMs).toBe(60_000);
  // The router's own port and its metrics' are dialled by no replica, nor is a service's without a router.
  expect(hosts.map(({ ports }) => [...ports].sort((a, b) => a - b))).toEqual([[8_000, 8_998]]);
});

it("puts the ports that jobs really have before those that others would have", () => {
  const world = fleetOf(1);
  world.apply(serviceSpec("a", [routerGroup(), prefillGroup(2), decodeGroup(2)]));
  world.settle();
  world.addHost("z");
  const [ports = []] = listOf(world, "z").hosts.map((peer) => peer.ports);
  const dialled = [...world.state.tables.job.byId.values()].flatMap((job) => {
    if (job.group === "router") return [];
    return job.ports.map(({ port }) => port);
  });
  expect(ports).toEqual([...new Set(dialled)].sort((a, b) => a - b).slice(0, 6));
});

it("is the same, to the byte, while nothing changes, and has another name when something does", () => {
  const world = fleetOf(3);
  const [first, again, later] = [listOf(world, "h000"), listOf(world, "h000"), listOf(world, "h000", { round: 5 })];
  expect(JSON.stringify(again)).toBe(JSON.stringify(first));
  expect(later).toEqual(first);
  world.addHost("h003");
  expect(listOf(world, "h000").tag).not.toBe(first.tag);
});

it("in a large fleet names a bounded part, and all of it round by round", () => {
  const world = fleetOf(120);
  const seen = new Set<string>();
  for (let round = 0; round < Math.ceil(119 / (PEERS_MAX / 2)); round += 1) {
    const names = named(world, "h050", { round });
    expect(names).toHaveLength(PEERS_MAX);
    for (const name of names) seen.add(name);
  }
  expect(seen.size).toBe(119);
  expect(seen.has("h050")).toBe(false);
});

it("keeps naming those that are not reached and those that share a service, whatever the round", () => {
  const world = fleetOf(120);
  world.apply(serviceSpec("pd", [routerGroup(), prefillGroup(1), decodeGroup(1)]));
  world.settle();
  const hosts = [...world.state.tables.job.byId.values()].map(({ host }) => host).sort();
  const [here, ...mates] = hosts as [string, ...string[]];
  const unreached = [{ host: "h077", address: "10.0.0.78", ports: [8_000], whole: true, why: "no answer" }];
  for (const round of [0, 1, 2, 3, 4]) {
    expect(named(world, here, { round, unreached })).toEqual(expect.arrayContaining([...mates, "h077"]));
  }
});
