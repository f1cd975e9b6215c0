import { describe, expect, it } from "vitest";
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
import { Draft } from "../draft.ts";
import { currentRevision } from "../services/revision.ts";
import { brokenWaysOf } from "./mates.ts";
import { describeWay } from "./reach.ts";

const GPU = { accelerators: [{ index: 0, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }] };
const SILENT = "no answer in 1 s";

/** Hosts with one accelerator each, but for the first, which has none: a router's. */
function worldOf(...hosts: string[]): World {
  const world = new World();
  for (const [i, host] of hosts.entries()) world.addHost(host, i === 0 ? {} : GPU);
  return world;
}

/** Keeps a group to the hosts with an accelerator. */
const onGpu = (group: GroupSpec): GroupSpec => ({ ...group, ...withGpus(1) });
const pd = (prefills: number, decodes: number) =>
  serviceSpec("svc", [routerGroup(), onGpu(prefillGroup(prefills)), onGpu(decodeGroup(decodes))]);

/** `group@host` of each replica that has a place, sorted. */
function places(world: World): string[] {
  return [...world.state.tables.job.byId.values()].map(({ group, host }) => `${group}@${host}`).sort();
}

const waiting = (world: World) => world.replicas("svc").filter(({ status }) => status === "pending");

/** Firewall of a host: drops what its peers send to these ports, by default to all. */
function isolate(world: World, host: string, ports: number[] | "all" = "all"): void {
  for (const other of world.state.tables.host.byId.keys()) if (other !== host) world.cut(other, host, ports, SILENT);
}

describe("a service of one prefill and one decode", () => {
  it("is placed around a host that its peers do not reach, however well that would suit", () => {
    const world = worldOf("a-router", "b-closed", "c", "d");
    isolate(world, "b-closed");
    world.apply(pd(1, 1));
    world.settle();
    expect(places(world)).toEqual(["decode@c", "prefill@d", "router@a-router"]);
  });

  it("waits, and says which host does not reach which, where the rest has no room", () => {
    const world = worldOf("a-router", "b", "c-closed");
    isolate(world, "c-closed");
    world.apply(pd(1, 1));
    world.settle();
    expect(places(world)).toEqual(["decode@b", "router@a-router"]);
    expect(waiting(world)[0]?.reason).toContain(
      "host c-closed: cannot be reached by b at 10.0.0.3 port 8998: no answer in 1 s",
    );
  });

  it("is placed there once the way is open", () => {
    const world = worldOf("a-router", "b", "c-closed");
    isolate(world, "c-closed");
    world.apply(pd(1, 1));
    world.settle();
    world.heal();
    world.advance(10_000);
    world.settle();
    expect(world.summary("svc")).toEqual(["decode:ready", "prefill:ready", "router:ready"]);
  });

  it("minds the port where a decode meets a prefill, although the others are open", () => {
    const world = worldOf("a-router", "b", "c");
    world.cut("b", "c", [8_998], SILENT);
    world.cut("c", "b", [8_998], SILENT);
    world.apply(pd(1, 1));
    world.settle();
    expect(places(world)).toEqual(["decode@b", "router@a-router"]);
    expect(waiting(world)[0]?.reason).toContain(
      "host c: cannot be reached by b at 10.0.0.3 port 8998: no answer in 1 s",
    );
  });

  it("is placed the other way round where that way alone is open", () => {
    const world = worldOf("a-router", "b", "c");
    world.cut("b", "c", [8_998], SILENT);
    world.apply(pd(1, 1));
    world.settle();
    expect(places(world)).toEqual(["decode@c", "prefill@b", "router@a-router"]);
  });

  it("does not mind a port that none of its replicas uses", () => {
    const world = worldOf("a-router", "b", "c");
    world.cut("c", "b", [9_999], SILENT);
    world.apply(pd(1, 1));
    world.settle();
    expect(waiting(world)).toEqual([]);
  });
});

it("what is not known, or known of an address that a host had before, speaks against nothing", () => {
  const world = worldOf("a-router", "b", "c");
  world.cut("a-router", "c", "all", SILENT);
  world.cut("b", "c", "all", SILENT);
  world.move("c");
  world.apply(pd(1, 1));
  world.settle();
  expect(waiting(world)).toEqual([]);
});

it("a second prefill goes where every decode reaches it, and of the rest as many have a place as can work together", () => {
  const world = worldOf("a-router", "b", "c", "d", "e");
  for (const [from, to] of [
    ["c", "d"],
    ["c", "e"],
    ["d", "e"],
  ] as const)
    world.cut(from, to, "all", SILENT);
  world.apply(pd(2, 2));
  world.settle();
  expect(places(world)).toEqual(["decode@b", "prefill@c", "prefill@d", "router@a-router"]);
  expect(waiting(world).map(({ group }) => group)).toEqual(["decode"]);
  expect(waiting(world)[0]?.reason).toContain("host e: cannot be reached by c at 10.0.0.5 port 8000");
});

it("a decode that no router reaches is sent nothing, so that it keeps no prefill away", () => {
  const world = worldOf("a-router", "b", "c", "d", "e");
  world.apply(pd(1, 2));
  world.settle();
  const prefill = world.replicas("svc", "prefill")[0]?.id as string;
  const decode = [...world.state.tables.job.byId.values()].find(({ group }) => group === "decode");
  isolate(world, decode?.host as string);
  world.behaviour.set(prefill, { state: "backoff", recentEnds: 3 });
  world.settle();
  world.advance(2_000);
  world.settle();
  expect(world.replicas("svc", "prefill").map(({ id, status }) => [id === prefill, status])).toEqual([
    [false, "ready"],
  ]);
});

describe("a router", () => {
  const workers = (count: number) => serviceSpec("svc", [onGpu(workerGroup(count)), routerGroup()]);

  it("may stand where it does not reach one worker, since it sends to the others", () => {
    const world = worldOf("a", "b", "c");
    world.apply(workers(2));
    world.settle();
    isolate(world, "c");
    const router = world.replicas("svc", "router")[0]?.id as string;
    world.behaviour.set(router, { state: "backoff", recentEnds: 3 });
    world.settle();
    world.advance(2_000);
    world.settle();
    expect(world.replicas("svc", "router").map(({ id, status }) => [id === router, status])).toEqual([
      [false, "ready"],
    ]);
  });

  it("does not stand where it reaches none", () => {
    const world = worldOf("a", "b", "c");
    world.cut("a", "b", "all", SILENT);
    world.cut("a", "c", "all", SILENT);
    world.apply(workers(2));
    world.settle();
    expect(waiting(world)).toEqual([]);
    expect(places(world)).toEqual(["router@b", "worker@b", "worker@c"]);
  });

  it("stands where it reaches a worker, although it would be spread otherwise", () => {
    const world = worldOf("a", "b");
    world.cut("a", "b", "all", SILENT);
    world.apply(workers(1));
    world.settle();
    expect(waiting(world)).toEqual([]);
    expect(places(world)).not.toEqual(["router@a", "worker@b"]);
  });

  it("is not lost with what it stands beside: nothing that runs is stopped for it, and it is said", () => {
    const world = worldOf("a", "b", "c");
    world.apply(workers(2));
    world.settle();
    const before = places(world);
    isolate(world, "b");
    world.advance(60_000);
    world.settle();
    expect(places(world)).toEqual(before);
    const draft = new Draft(world.state);
    const ways = brokenWaysOf(draft, currentRevision(draft, draft.must("service", "svc")));
    const worker = [...world.state.tables.job.byId.values()].find(
      ({ host, group }) => host === "b" && group === "worker",
    );
    expect(describeWay(ways.get(worker?.replica ?? "") as never)).toMatch(
      /^[ac] cannot reach b at 10\.0\.0\.2 port 8000: no answer in 1 s$/,
    );
  });
});

it("a host that says it reaches nobody keeps services off itself, and off no other host", () => {
  const world = worldOf("a-router", "b-liar", "c", "d");
  for (const other of ["a-router", "c", "d"]) world.cut("b-liar", other, "all", SILENT);
  world.apply(pd(1, 1));
  world.settle();
  expect(places(world)).toEqual(["decode@c", "prefill@d", "router@a-router"]);
});

it("replicas that need nothing of each other are spread as ever", () => {
  const world = worldOf("a", "b", "c");
  isolate(world, "b");
  world.apply(serviceSpec("svc", [onGpu(workerGroup(2))]));
  world.settle();
  expect(places(world)).toEqual(["worker@b", "worker@c"]);
});
