import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import {
  decodeGroup,
  prefillGroup,
  routerGroup,
  serviceSpec,
  withGpus,
  workerGroup,
} from "../../../test/support/specs.ts";
import type { GroupSpec } from "../../spec/types.ts";
import type { Fabric } from "../../wire/index.ts";
import { closedFleet } from "../hosts/fleets.ts";

let world: World;
beforeEach(() => {
  world = new World();
});

function become(id: string, placement: "any" | "cluster"): void {
  const fleet = world.state.tables.fleet.byId.get(id) ?? closedFleet(id);
  world.state.tables.fleet.put({ ...fleet, settings: { ...fleet.settings, placement } });
}

const gpus = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ index, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }));
const host = (id: string, fleet: string, count: number, kind: Fabric["kind"] | null = null) =>
  world.addHost(
    id,
    { accelerators: gpus(count), fabric: kind && { kind, rateGbps: 400, nics: ["mlx5_0"], gidIndex: null } },
    fleet,
  );
const pd = (prefills: number, decodes: number, size = 1, over: Partial<GroupSpec> = {}) =>
  serviceSpec("pd", [
    routerGroup(),
    prefillGroup(prefills, { ...withGpus(size), ...over }),
    decodeGroup(decodes, { ...withGpus(size), ...over }),
  ]);
/** `group@host` of each replica that has a place and accelerators, sorted. */
const places = (service = "pd") =>
  [...world.state.tables.job.byId.values()]
    .filter((job) => job.service === service && job.group !== "router")
    .map((job) => `${job.group}@${job.host}`)
    .sort();
const waiting = (service = "pd") => world.replicas(service).filter(({ status }) => status === "pending");

describe("of a service whose replicas exchange their cache, prefill and decode", () => {
  test("go to a fleet that shares an interconnect before any other", () => {
    host("a", "default", 8);
    host("b", "rack", 8);
    become("rack", "cluster");
    world.apply(pd(1, 1));
    expect(places()).toEqual(["decode@b", "prefill@b"]);
  });

  test("stay in one such fleet, and a plan says which when it has no more room", () => {
    for (const fleet of ["rack-1", "rack-2"]) become(fleet, "cluster");
    host("a", "rack-1", 2);
    host("b", "rack-2", 1);
    host("c", "default", 1);
    world.apply(pd(1, 1));
    expect(places()).toEqual(["decode@a", "prefill@a"]);
    world.apply(pd(1, 3));
    expect(places()).toEqual(["decode@a", "prefill@a"]);
    expect(waiting().map(({ reason }) => reason)).toEqual(
      Array(2).fill(
        "fits on no host: " +
          "host b: is in fleet rack-2, whose hosts share an interconnect (`placement: cluster`), the service's prefill and decode are in rack-1; " +
          "host c: is in fleet default, the service's prefill and decode are in rack-1, whose hosts share an interconnect (`placement: cluster`); " +
          "host a: needs 1 x H200, 0 of 2 are free",
      ),
    );
  });

  test("look for one that has room for all of them, whatever the order of the fleets", () => {
    for (const fleet of ["rack-1", "rack-2", "rack-3"]) become(fleet, "cluster");
    host("a", "rack-1", 4);
    host("b", "rack-2", 4);
    host("c", "rack-3", 4);
    host("d", "rack-3", 4);
    world.apply(pd(1, 1, 4));
    expect(places()).toEqual(["decode@c", "prefill@d"]);
    expect(waiting()).toEqual([]);
  });

  test("go where there is no such fleet when none has room for both", () => {
    become("rack", "cluster");
    host("a", "rack", 1);
    host("b", "default", 1);
    host("c", "other", 1);
    world.apply(pd(1, 1));
    expect(places()).toEqual(["decode@b", "prefill@c"]);
  });

  test("stay out of such fleets once they have begun elsewhere", () => {
    host("b", "default", 2);
    world.apply(pd(1, 1));
    become("rack", "cluster");
    host("a", "rack", 8);
    world.apply(pd(1, 2));
    expect(waiting().map(({ reason }) => reason)).toEqual([
      "fits on no host: host a: is in fleet rack, whose hosts share an interconnect (`placement: cluster`), the service's prefill and decode are in default; " +
        "host b: needs 1 x H200, 0 of 2 are free",
    ]);
  });

  test("that run apart already, because a fleet has become a cluster, are replaced all the same", () => {
    host("a", "default", 1);
    host("b", "rack", 1);
    world.apply(pd(1, 1));
    world.settle();
    become("rack", "cluster");
    host("c", "third", 1);
    host("d", "rack", 1);
    world.freeze("b", true);
    world.advance(31_000);
    world.advance(2_000);
    expect(waiting()).toEqual([]);
    expect(places().filter((place) => !place.endsWith("@b"))).toHaveLength(2);
  });

  test("are not paired over fabrics of two kinds, as far as these are known", () => {
    become("rack", "cluster");
    host("a", "rack", 1, "infiniband");
    host("b", "rack", 1, "roce");
    world.apply(pd(1, 1));
    expect(places()).toEqual(["decode@a"]);
    expect(waiting()[0]?.reason).toContain(
      "host b: its fabric is roce, that of the service's prefill and decode in fleet rack is infiniband",
    );
    host("c", "rack", 1);
    expect(places()).toEqual(["decode@a", "prefill@c"]);
  });

  test("leave a host that is drained within their fleet only", () => {
    become("rack", "cluster");
    host("a", "rack", 1);
    host("b", "rack", 1);
    host("c", "default", 8);
    world.apply(pd(1, 1));
    world.settle();
    world.input({ kind: "host_cordoned", host: "b", drain: true, reason: "", actor: "ada" });
    world.settle();
    expect(waiting()[0]?.reason).toContain("host c: is in fleet default, the service's prefill and decode are in rack");
    host("d", "rack", 1);
    for (let round = 0; round < 5; round += 1) {
      world.settle();
      world.advance(2_000);
    }
    expect(places().map((place) => place.slice(-1))).toEqual(["a", "d"]);
  });

  test("leave one within their fleet only when all of them are on it, too", () => {
    become("rack", "cluster");
    host("a", "rack", 2);
    host("c", "default", 8);
    world.apply(pd(1, 1));
    world.settle();
    world.input({ kind: "host_cordoned", host: "a", drain: true, reason: "", actor: "ada" });
    world.settle();
    expect(places()).toEqual(["decode@a", "prefill@a"]);
    expect(waiting()).not.toEqual([]);
  });

  test("wait when their `fleets` keep them apart", () => {
    become("rack", "cluster");
    host("a", "rack", 1);
    host("b", "default", 1);
    const to = (name: string) => ({ ...withGpus(1), fleets: [{ project: null, name }] });
    world.apply(serviceSpec("pd", [prefillGroup(1, to("rack")), decodeGroup(1, to("default"))]));
    expect(places()).toHaveLength(1);
    expect(waiting()[0]?.reason).toContain("whose hosts share an interconnect (`placement: cluster`)");
  });
});

test("routers, and workers that exchange nothing, may be in any fleet beside it", () => {
  become("rack", "cluster");
  host("a", "rack", 2);
  host("plain", "default", 0);
  world.apply(pd(1, 1));
  expect(places()).toEqual(["decode@a", "prefill@a"]);
  expect(world.state.tables.job.ids("host", "plain").size).toBe(1);
  host("b", "rack", 1);
  host("c", "default", 1);
  world.apply(serviceSpec("w", [workerGroup(2, withGpus(1))]));
  expect(places("w")).toEqual(["worker@b", "worker@c"]);
});
