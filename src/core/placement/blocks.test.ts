import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, withGpus, workerGroup } from "../../../test/support/specs.ts";
import { parseConfig } from "../../spec/index.ts";
import type { Accelerator } from "../../wire/index.ts";
import { chooseParts, partsOf } from "./blocks.ts";

const accelerators = (count: number): Accelerator[] =>
  Array.from({ length: count }, (_, index) => ({ index, vendor: "nvidia", name: "H200", memoryGib: 141 }));
const indexes = (parts: Accelerator[][]) => parts.map((part) => part.map(({ index }) => index));

test("parts are equal and of neighbours; where they cannot be the last is smaller, and there are never too many", () => {
  expect(indexes(partsOf(accelerators(8).reverse(), 2))).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  expect(indexes(partsOf(accelerators(3), 2))).toEqual([[0, 1], [2]]);
  expect(indexes(partsOf(accelerators(3), 8))).toEqual([[0], [1], [2]]);
  expect(indexes(partsOf(accelerators(3), "auto"))).toEqual([[0], [1], [2]]);
  expect(partsOf([], 4)).toEqual([]);
});

test("as few parts are chosen as have enough, and none where all of them have not", () => {
  const parts = partsOf(accelerators(7), 4);
  const chosen = (count: number) => chooseParts(parts, count)?.map(({ index }) => index) ?? null;
  expect([chosen(1), chosen(2), chosen(3), chosen(7), chosen(8)]).toEqual([
    [0, 1],
    [0, 1],
    [0, 1, 2, 3],
    [0, 1, 2, 3, 4, 5, 6],
    null,
  ]);
  expect(chooseParts([], 1)).toBeNull();
});

describe("jobs on a host whose fleet divides it", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  function fleet(text: string): void {
    const parsed = parseConfig(`type: fleet\nname: default\n${text}`, "fleet.yml");
    if (!parsed.ok || parsed.type !== "fleet" || parsed.spec.hosts.kind === "cloud") throw new Error("no such fleet");
    const { name, hosts, type: _, ...settings } = parsed.spec;
    world.input({ kind: "fleet_applied", fleet: name, settings, hosts, expectedRevision: null });
  }

  const promised = (service: string) => world.desired(service).map((job) => job.accelerators);
  const reason = (service: string) => world.replicas(service).find(({ status }) => status === "pending")?.reason;

  test("get whole parts, each its own, and are told what they got", () => {
    fleet("blocks: 2");
    world.addHost("a", { accelerators: accelerators(8) });
    world.apply(serviceSpec("small", [workerGroup(3, withGpus(1))]));
    expect(promised("small")).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(world.desired("small")[0]?.launch.env.HEADRACE_GPUS_NUM).toBe("4");
    expect(reason("small")).toBe(
      "fits on no host: host a: needs 1 x H200, 0 of 8 are free in whole blocks (its fleet has 2 on this host)",
    );
  });

  test("have the host for themselves where it is one part, beside those that need no accelerators", () => {
    fleet("blocks: 1");
    world.addHost("a", { accelerators: accelerators(4) });
    world.apply(serviceSpec("one", [workerGroup(1, withGpus(2))]));
    world.apply(serviceSpec("plain", [workerGroup(2)]));
    expect([promised("one"), promised("plain")]).toEqual([[[0, 1, 2, 3]], [[], []]]);
    world.apply(serviceSpec("two", [workerGroup(1, withGpus(1))]));
    expect(reason("two")).toContain("0 of 4 are free in whole blocks");
  });

  test("of a host that the file says otherwise of, by its name or its address, keep to that", () => {
    const login = "user: u, identity_file: k";
    fleet(
      `blocks: 1\nssh_config: {hosts: [{hostname: a, ${login}, blocks: 4}, {hostname: 10.0.0.2, ${login}, blocks: auto}, {hostname: c, ${login}}]}`,
    );
    const all = accelerators(8);
    world.addHost("a", { accelerators: all, address: "10.0.0.1" });
    world.addHost("b", { accelerators: all, address: "10.0.0.2" });
    world.addHost("c", { accelerators: all, address: "10.0.0.3" });
    world.apply(serviceSpec("w", [workerGroup(3, withGpus(1))]));
    const sizes = world.desired("w").map((job) => job.accelerators.length);
    expect(sizes.toSorted()).toEqual([1, 2, 8]);
  });

  test("that run when it is divided anew keep what they have, and nobody gets a part of it", () => {
    world.addHost("a", { accelerators: accelerators(4) });
    world.apply(serviceSpec("before", [workerGroup(1, withGpus(1))]));
    fleet("blocks: 2");
    world.apply(serviceSpec("after", [workerGroup(2, withGpus(1))]));
    expect([promised("before"), promised("after")]).toEqual([[[0]], [[2, 3]]]);
  });
});
