import { describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import {
  decodeGroup,
  prefillGroup,
  routerGroup,
  serviceSpec,
  withGpus,
  workerGroup,
} from "../../../test/support/specs.ts";
import type { GpuSpec, InstanceRef } from "../../spec/types.ts";
import type { Accelerator } from "../../wire/index.ts";
import { closedFleet } from "../hosts/fleets.ts";
import { PLACE_RETRY_MS } from "../limits.ts";
import { step } from "../step.ts";

const gpus = (count: number, name = "H200", memoryGib = 141): Accelerator[] =>
  Array.from({ length: count }, (_, index) => ({ index, vendor: "nvidia", name, memoryGib }));

function reasonOf(world: World, service: string): string {
  return world.replicas(service).find((replica) => replica.status === "pending")?.reason ?? "";
}

describe("placement", () => {
  test("promises no accelerator and no port twice", () => {
    const world = new World();
    world.addHost("a", { accelerators: gpus(4) });
    world.apply(serviceSpec("one", [workerGroup(2, withGpus(1))]));
    world.apply(serviceSpec("two", [workerGroup(2, withGpus(1))]));
    const jobs = [...world.desired("one"), ...world.desired("two")];
    expect(jobs.flatMap((job) => job.accelerators).sort()).toEqual([0, 1, 2, 3]);
    expect(new Set(jobs.flatMap((job) => job.ports)).size).toBe(jobs.flatMap((job) => job.ports).length);
    world.apply(serviceSpec("three", [workerGroup(1, withGpus(1))]));
    expect(reasonOf(world, "three")).toBe("fits on no host: host a: needs 1 x H200, 0 of 4 are free");
  });

  test("gives room that is freed in a step to who was refused it earlier in the step", () => {
    const world = new World();
    world.addHost("a", { accelerators: gpus(1) });
    world.apply(serviceSpec("second", [workerGroup(1, withGpus(1))]));
    world.apply(serviceSpec("first", [workerGroup(1, withGpus(1))]));
    world.input({ kind: "stop", service: "second" });
    expect(world.summary("second")).toEqual(["worker:stopping"]);
    const observed = world.state.observed.get("a");
    if (observed) observed.report.applied.version = world.state.version;
    const result = step(world.state, [{ kind: "host_reported", host: "a" }], world.now + PLACE_RETRY_MS);
    expect(result.changes.deletes).toContainEqual({ kind: "replica", id: "second-worker-1" });
    expect(result.changes.puts).toContainEqual(expect.objectContaining({ kind: "job", service: "first", host: "a" }));
  });

  test("spreads the replicas of a group over hosts", () => {
    const world = new World();
    for (const id of ["a", "b", "c"]) world.addHost(id);
    world.apply(serviceSpec("w", [workerGroup(6)]));
    for (const id of ["a", "b", "c"]) expect(world.state.tables.job.ids("host", id).size).toBe(2);
  });

  test("counts the replicas of the group that were placed before", () => {
    const world = new World();
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.addHost("b");
    world.apply(serviceSpec("others", [workerGroup(5)]));
    for (const id of ["a", "b"]) expect(world.state.tables.job.ids("host", id).size).toBe(3);
    world.apply(serviceSpec("w", [workerGroup(2)]));
    expect(world.desired("w").map((job) => world.state.tables.job.byId.get(job.job)?.host)).toEqual(["a", "b"]);
  });

  test("prefers the host with the fewest free accelerators, so that whole hosts stay for large groups", () => {
    const world = new World();
    world.addHost("large", { accelerators: gpus(8) });
    world.addHost("small", { accelerators: gpus(1) });
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(1))]));
    expect(world.state.tables.job.ids("host", "small").size).toBe(1);
  });

  describe("of a service with fixed ports", () => {
    const fixed = ["python -m sglang.launch_server --port 8000"];
    const hostsOf = (world: World, group: string) =>
      [...world.state.tables.job.byId.values()].filter((job) => job.group === group).map(({ host }) => host);

    test("leaves the hosts with accelerators to those that need them", () => {
      const world = new World();
      world.addHost("a", { accelerators: gpus(8) });
      world.addHost("b", { accelerators: gpus(8) });
      world.addHost("plain");
      const groups = [
        workerGroup(1, { name: "a-front", commands: fixed }),
        workerGroup(2, { ...withGpus(8), commands: fixed }),
      ];
      world.apply(serviceSpec("w", groups));
      expect([hostsOf(world, "a-front"), hostsOf(world, "worker")]).toEqual([["plain"], ["a", "b"]]);
    });

    test("begins anew with what found no place, should that help", () => {
      const world = new World();
      world.addHost("a", { accelerators: gpus(2) });
      world.addHost("b", { accelerators: gpus(2) });
      const report = world.state.observed.get("b")?.report;
      if (report) report.busyPorts = [8_000];
      // The worker comes first, and takes port 8000 of the first host, although any other would do for it.
      world.apply(serviceSpec("w", [workerGroup(1, withGpus(2)), workerGroup(1, { name: "z", commands: fixed })]));
      expect(world.summary("w")).toEqual(["worker:starting", "z:starting"]);
      expect([hostsOf(world, "worker"), hostsOf(world, "z")]).toEqual([["b"], ["a"]]);
    });
  });

  test("leaves no group without a replica for the sake of another's second, where not all have room", () => {
    const world = new World();
    world.addHost("a", { accelerators: gpus(4) });
    world.apply(serviceSpec("pd", [routerGroup(), prefillGroup(4, withGpus(1)), decodeGroup(4, withGpus(1))]));
    expect(world.summary("pd").filter((line) => line.endsWith(":starting"))).toEqual([
      "decode:starting",
      "decode:starting",
      "decode:starting",
      "prefill:starting",
      "router:starting",
    ]);
  });

  test("of hosts that all have accelerators takes the one with the fewest left for what needs none", () => {
    const world = new World();
    for (const id of ["a", "b"]) world.addHost(id, { accelerators: gpus(2) });
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(2))]));
    world.apply(serviceSpec("v", [workerGroup(1)]));
    expect(world.state.tables.job.ids("host", "a").size).toBe(2);
  });

  test("takes the service's own port where it is free and another where the commands allow it", () => {
    const world = new World();
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(3)]));
    const ports = world
      .desired("w")
      .map((job) => job.port)
      .sort((x, y) => x - y);
    expect(ports).toEqual([8000, 20000, 20001]);
    for (const job of world.desired("w")) expect(job.launch.env.HEADRACE_PORT).toBe(String(job.port));
  });

  test("says which port is in the way when the commands fix it", () => {
    const world = new World();
    world.addHost("a");
    const fixed = (name: string) =>
      serviceSpec(name, [workerGroup(1, { commands: ["python -m sglang.launch_server --port 8000"] })]);
    world.apply(fixed("one"));
    world.apply(fixed("two"));
    expect(reasonOf(world, "two")).toBe(
      "fits on no host: host a: port 8000 is taken by job one-worker-1.0 " +
        "(write $HEADRACE_PORT instead of 8000 in the commands to let it take another)",
    );
  });

  test("a router, a prefill and a decode of one service fit on one host", () => {
    const world = new World();
    world.addHost("a");
    world.apply(serviceSpec("pd", [routerGroup(), prefillGroup(2), decodeGroup(2)]));
    world.settle();
    expect(world.routes("pd").ready).toBe(true);
    const ports = world.desired("pd").flatMap((job) => job.ports);
    expect(new Set(ports).size).toBe(ports.length);
  });

  const tooSmall: [string, Parameters<World["addHost"]>[1], string][] = [
    ["cpus", { cpus: 0.5 }, "needs 1 cpus, it has 0.5"],
    ["memory", { memoryGib: 0.05 }, "needs 0.1 GB of memory, it has 0.1"],
    ["disk", { diskGib: 0 }, "needs 0.1 GB of disk, it has 0"],
    ["accelerators of that name", { accelerators: gpus(8, "H100") }, "needs 2 x H200, it has 8 x H100"],
    ["a count of them", { accelerators: gpus(1) }, "needs 2 x H200, it has 1 x H200"],
  ];
  const kinds: [string, Partial<GpuSpec>, Accelerator[], number][] = [
    ["another vendor", { vendor: "amd" }, gpus(8), 0],
    ["its vendor", { vendor: "nvidia" }, gpus(8), 1],
    ["another of the names", { names: ["A100", "H200"] }, gpus(8), 1],
    ["a name within a name", { names: ["H20"] }, gpus(8), 0],
    ["a name among the words of the driver", { names: ["H100"] }, gpus(8, "NVIDIA H100 80GB HBM3"), 1],
    ["too little memory each", { memory: { min: 142, max: null } }, gpus(8), 0],
    ["just enough memory each", { memory: { min: 141, max: null } }, gpus(8), 1],
    ["too little memory together", { totalMemory: { min: 283, max: null } }, gpus(8), 0],
    ["just enough memory together", { totalMemory: { min: 282, max: null } }, gpus(8), 1],
    ["a lower compute capability", { computeCapability: [9, 1] }, gpus(8), 0],
    ["just that compute capability", { computeCapability: [9, 0] }, gpus(8), 1],
    ["a higher compute capability", { computeCapability: [8, 9] }, gpus(8), 1],
    ["a compute capability that is not known", { computeCapability: [1, 0] }, gpus(8, "Z1"), 0],
  ];
  test.each(kinds)("on accelerators with %s", (_, asked, accelerators, placed) => {
    const world = new World();
    world.addHost("a", { accelerators });
    const { resources } = withGpus(2);
    const gpu: GpuSpec = { ...resources.gpu, names: [], ...asked };
    world.apply(serviceSpec("w", [workerGroup(1, { resources: { ...resources, gpu } })]));
    expect(world.state.tables.job.byId.size).toBe(placed);
  });

  for (const [what, inventory, reason] of tooSmall) {
    test(`refuses a host that lacks ${what}`, () => {
      const world = new World();
      world.addHost("a", inventory);
      world.apply(serviceSpec("w", [workerGroup(1, what.startsWith("a") ? withGpus(2) : {})]));
      expect(reasonOf(world, "w")).toBe(`fits on no host: host a: ${reason}`);
    });
  }

  test("says what accelerators are needed and what there is", () => {
    const world = new World();
    world.addHost("a", { accelerators: [...gpus(1), { index: 1, vendor: "amd", name: "MI300X", memoryGib: 192 }] });
    const { resources } = withGpus(2);
    const gpu = { ...resources.gpu, names: ["H200", "B200"], memory: { min: 100, max: null } };
    world.apply(serviceSpec("w", [workerGroup(1, { resources: { ...resources, gpu } })]));
    expect(reasonOf(world, "w")).toBe(
      "fits on no host: host a: needs 2 x H200 or B200 with at least 100 GB, it has 1 x H200, 1 x MI300X",
    );
  });

  test("groups equal reasons of many hosts", () => {
    const world = new World();
    for (let i = 0; i < 5; i += 1) world.addHost(`h${i}`);
    world.addHost("odd", { cpus: 0 });
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(1))]));
    expect(reasonOf(world, "w")).toBe(
      "fits on no host: 5 hosts: needs 1 x H200, it has none; host odd: needs 1 cpus, it has 0",
    );
  });

  test("puts nothing on a host whose agent is not connected", () => {
    const world = new World();
    world.addHost("a");
    world.state.present.delete("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(reasonOf(world, "w")).toBe("fits on no host: host a: its agent is not connected");
    world.state.present.add("a");
    world.input({ kind: "host_present", host: "a" });
    expect(world.summary("w")).toEqual(["worker:starting"]);
  });

  test("puts nothing on a host before its first report, since its ports are not known", () => {
    const world = new World();
    world.addHost("a");
    world.state.observed.delete("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(reasonOf(world, "w")).toBe("fits on no host: host a: its agent is not connected");
    world.sync("a");
    world.input({ kind: "host_present", host: "a" });
    expect(world.summary("w")).toEqual(["worker:starting"]);
  });

  test("takes no port on which something else listens", () => {
    const world = new World();
    world.addHost("a");
    const observed = world.state.observed.get("a");
    if (observed) observed.report.busyPorts = [8000, 20_000];
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(world.desired("w")[0]?.port).toBe(20_001);
  });

  test("starts nothing where a disk that it needs is full, and says which", () => {
    const full = (holds: ("data" | "models" | "images")[]) => [
      { path: "/disk", holds, gib: 100, level: "full" as const },
    ];
    const statusOn = (disks: ReturnType<typeof full>, containers: boolean) => {
      const world = new World();
      world.addHost("a", { disks, runtimes: containers ? ["docker", "process"] : ["process"] });
      world.apply(serviceSpec("w", [workerGroup(1, { image: "python:3.12" })]));
      return [...world.summary("w"), world.routes("w").message];
    };
    const nowhere = [
      "worker:pending",
      "worker 0 of 1 ready (fits on no host: host a: the disk of /disk is full (`headrace host show` says what is on it))",
    ];
    expect(statusOn(full(["images"]), true)).toEqual(nowhere);
    expect(statusOn(full(["data"]), false)).toEqual(nowhere);
    expect(statusOn(full(["models"]), true)[0]).toBe("worker:starting");
    expect(statusOn(full(["images"]), false)[0]).toBe("worker:starting");
  });

  test("counts cpu and memory only in a fleet that forbids overcommitting", () => {
    for (const overcommit of [true, false]) {
      const world = new World();
      const fleet = closedFleet("default");
      world.state.tables.fleet.put({ ...fleet, settings: { ...fleet.settings, overcommit } });
      world.addHost("a", { cpus: 3 });
      world.apply(serviceSpec("w", [workerGroup(5)]));
      expect(world.summary("w").filter((line) => line === "worker:starting")).toHaveLength(overcommit ? 5 : 3);
    }
  });
});

describe("where a service may run", () => {
  const only = (instances: InstanceRef[]) => ({ profile: { ...serviceSpec("x", []).profile, instances } });
  const hostsOf = (world: World, service: string) =>
    world.desired(service).map((job) => world.state.tables.job.byId.get(job.job)?.host);

  test("keeps each group to its own fleets", () => {
    const world = new World();
    world.addHost("a", {}, "cheap");
    world.addHost("b", {}, "fast");
    const fleets = [{ project: null, name: "fast" }];
    world.apply(
      serviceSpec("w", [workerGroup(3, { fleets }), routerGroup({ fleets: [{ project: "main", name: "cheap" }] })]),
    );
    expect(world.desired("w").map((job) => [job.role, world.state.tables.job.byId.get(job.job)?.host])).toEqual([
      ["router", "a"],
      ["worker", "b"],
      ["worker", "b"],
      ["worker", "b"],
    ]);
  });

  test("says in which fleet a host is, and which are wanted", () => {
    const world = new World();
    world.addHost("a", {}, "cheap");
    const fleets = [{ project: null, name: "fast" }];
    world.apply(serviceSpec("w", [workerGroup(1, { fleets })]));
    expect(reasonOf(world, "w")).toBe("fits on no host: host a: is in fleet cheap, the group wants fast");
    world.addHost("b", {}, "fast");
    expect(hostsOf(world, "w")).toEqual(["b"]);
  });

  test("refuses a fleet of another project", () => {
    const world = new World();
    const fleets = [{ project: "other", name: "fast" }];
    expect(world.apply(serviceSpec("w", [workerGroup(1, { fleets })]))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("fleet other/fast belongs to another project"),
    });
  });

  test("keeps a service to hosts by name, or by what they are reached at", () => {
    const world = new World();
    for (const id of ["a", "b", "c"]) world.addHost(id);
    world.apply(serviceSpec("one", [workerGroup(2)], only([{ name: "b" }])));
    world.apply(serviceSpec("two", [workerGroup(2)], only([{ hostname: "a" }, { hostname: "10.0.0.3" }])));
    expect(hostsOf(world, "one")).toEqual(["b", "b"]);
    expect(hostsOf(world, "two").sort()).toEqual(["a", "c"]);
    world.apply(serviceSpec("three", [workerGroup(1)], only([{ name: "10.0.0.3" }])));
    expect(reasonOf(world, "three")).toBe(
      "fits on no host: 3 hosts: is not one of the hosts that the service wants (10.0.0.3)",
    );
  });

  test("refuses replicas that span hosts, with the reason", () => {
    const world = new World();
    expect(world.apply(serviceSpec("w", [workerGroup(1, { nodes: 2 })]))).toMatchObject({
      kind: "refused",
      code: "invalid_config",
      message: expect.stringContaining("group worker: `nodes: 2` is understood, but replicas that span several hosts"),
    });
  });
});

describe("priority", () => {
  const wants = (name: string, priority: number) => serviceSpec(name, [workerGroup(1, withGpus(1))], { priority });

  test("gives room to the service that has more of it, and to the first by name among equals", () => {
    const world = new World();
    for (const [name, priority] of [
      ["a", 0],
      ["b", 50],
      ["c", 50],
    ] as const)
      world.apply(wants(name, priority));
    world.addHost("h1", { accelerators: gpus(1) });
    expect(["a", "b", "c"].map((name) => world.summary(name)[0])).toEqual([
      "worker:pending",
      "worker:starting",
      "worker:pending",
    ]);
    world.addHost("h2", { accelerators: gpus(1) });
    expect(["a", "b", "c"].map((name) => world.summary(name)[0])).toEqual([
      "worker:pending",
      "worker:starting",
      "worker:starting",
    ]);
  });

  test("comes before the service's own replacement for a replica whose room was freed", () => {
    const world = new World();
    world.addHost("h", { accelerators: gpus(1) });
    world.apply(wants("low", 1));
    world.settle();
    world.apply(wants("much", 100));
    world.behaviour.set("low-worker-1", { recentEnds: 3, state: "backoff" });
    world.settle();
    world.advance(10_000);
    world.settle();
    expect(world.summary("much")).toEqual(["worker:ready"]);
    expect(world.summary("low")).toEqual(["worker:pending"]);
  });

  test("changes in place", () => {
    const world = new World();
    world.addHost("h", { accelerators: gpus(1) });
    world.apply(wants("w", 0));
    world.settle();
    expect(world.apply(wants("w", 7))).toMatchObject({ kind: "applied", action: "update" });
    world.settle();
    expect(world.replicas("w").map(({ id, status }) => [id, status])).toEqual([["w-worker-1", "ready"]]);
  });
});
