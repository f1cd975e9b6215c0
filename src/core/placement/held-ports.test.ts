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
import { LOST_AFTER_MS } from "../limits.ts";
import type { HostEntity } from "../state.ts";

const pd = (decodes: number) =>
  serviceSpec("pd", [routerGroup(), prefillGroup(1, withGpus(1)), decodeGroup(decodes, withGpus(1))]);

let world: World;

/** Workers on host g, which has the accelerators; their router on host a. */
beforeEach(() => {
  world = new World();
  world.addHost("a");
  const accelerators = [0, 1, 2, 3].map((index) => ({
    index,
    vendor: "nvidia" as const,
    name: "H200",
    memoryGib: 141,
  }));
  world.addHost("g", { accelerators });
  world.apply(pd(2));
  world.settle();
  expect(world.routes("pd").targets.map(({ host }) => host)).toEqual(["a"]);
});

const jobs = () => [...world.state.tables.job.byId.values()];
const holds = () => [...world.state.tables.hold.byId.values()];
const portsOf = (replica: string) =>
  jobs()
    .find((job) => job.replica === replica)
    ?.ports.map(({ port }) => port);

/** Cuts the router's host off, and takes a decode away meanwhile. @returns the ports that it had */
function takeOneAwayUnheard(): number[] {
  const before = new Map(world.replicas("pd", "decode").map(({ id }) => [id, portsOf(id)]));
  world.freeze("a", true);
  world.advance(LOST_AFTER_MS);
  world.settle();
  world.apply(pd(1));
  world.settle();
  const left = world.replicas("pd", "decode").map(({ id }) => id);
  expect(left).toHaveLength(1);
  return [...before].find(([id]) => !left.includes(id))?.[1] ?? [];
}

describe("the ports of a worker that is gone while its router is cut off", () => {
  test("go to nobody else", () => {
    const ports = takeOneAwayUnheard();
    expect(holds().map((hold) => hold.ports)).toEqual([ports]);
    world.apply(serviceSpec("other", [workerGroup(2, withGpus(1))]));
    const taken = jobs()
      .filter((job) => job.service === "other")
      .flatMap((job) => job.ports.map(({ port }) => port));
    expect(taken).toHaveLength(2);
    expect(taken.filter((port) => ports.includes(port))).toEqual([]);
  });

  test("are free once it has said that it let go", () => {
    takeOneAwayUnheard();
    world.freeze("a", false);
    world.settle();
    expect(holds()).toEqual([]);
  });

  test("are free once its host is removed", () => {
    takeOneAwayUnheard();
    world.input({ kind: "host_removed", host: "a", force: true });
    expect(holds()).toEqual([]);
  });

  test("go to nobody else when its machine is removed and joins again", () => {
    const { inventory } = world.state.tables.host.byId.get("g") as HostEntity;
    const before = ["prefill", "decode"].flatMap((group) =>
      world.replicas("pd", group).flatMap(({ id }) => portsOf(id)),
    );
    world.freeze("a", true);
    world.input({ kind: "host_removed", host: "g", force: true });
    world.addHost("g again", inventory);
    world.apply(serviceSpec("other", [workerGroup(1, withGpus(1))]));
    const there = jobs().filter(({ host }) => host === "g again");
    expect(there.filter(({ accelerators }) => accelerators.length > 0)).toHaveLength(4);
    const taken = there.flatMap((job) => job.ports.map(({ port }) => port));
    expect(taken.filter((port) => before.includes(port))).toEqual([]);
    world.freeze("a", false);
    world.settle();
    expect(holds()).toEqual([]);
  });
});

test("a worker that its host lost gives its ports back as soon as its router knows", () => {
  const doomed = world.replicas("pd", "decode")[0]?.id ?? "";
  world.behaviour.set(doomed, { state: "ended" });
  world.sync("g");
  expect(holds().map(({ worker }) => worker)).toEqual([doomed]);
  world.settle();
  expect(holds()).toEqual([]);
  expect(world.summary("pd")).toEqual(["decode:ready", "decode:ready", "prefill:ready", "router:ready"]);
});

test("a router that is gone holds nothing: no other one sends to it", () => {
  world.apply(
    serviceSpec("pd", [
      routerGroup({ count: { min: 2, max: 2 } }),
      prefillGroup(1, withGpus(1)),
      decodeGroup(2, withGpus(1)),
    ]),
  );
  world.settle();
  const [, other] = world.replicas("pd", "router");
  world.freeze("a", true);
  world.behaviour.set(other?.id ?? "", { state: "ended" });
  world.sync("g");
  expect(world.replicas("pd", "router").map(({ id }) => id)).not.toContain(other?.id);
  expect(holds()).toEqual([]);
});

test("a worker that was never ready was never listed, and holds nothing", () => {
  world.apply(pd(3));
  const doomed = world.replicas("pd", "decode").find(({ status }) => status === "starting")?.id ?? "";
  world.behaviour.set(doomed, { state: "ended" });
  world.sync("g");
  expect(holds()).toEqual([]);
});
