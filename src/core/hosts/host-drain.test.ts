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
import { Draft } from "../draft.ts";
import { Placer } from "../placement/placement.ts";
import { describeLeaving } from "../replicas/leaving.ts";
import type { HostEntity } from "../state.ts";
import { takeHealth } from "./take-out.ts";

let world: World;
beforeEach(() => {
  world = new World();
});

const cordon = (host: string, drain = false, reason = "") =>
  world.input({ kind: "host_cordoned", host, drain, reason, actor: "ada" });
const drain = (host: string) => cordon(host, true);
const uncordon = (host: string) => world.input({ kind: "host_uncordoned", host });
const host = (id: string) => world.state.tables.host.byId.get(id) as HostEntity;
const types = () => world.events.map(({ type }) => type);
const jobsOn = (id: string) => world.state.tables.job.ids("host", id).size;
const on = (id: string) =>
  [...world.state.tables.job.ids("host", id)]
    .map((job) => world.state.tables.replica.byId.get(world.state.tables.job.byId.get(job)!.replica)!)
    .map(({ group, status }) => `${group}:${status}`)
    .sort();
const gpus = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ index, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }));
/** Routes are forgotten, routers let go, idle replicas end. */
const drainOut = () => {
  for (let round = 0; round < 5; round += 1) {
    world.settle();
    world.advance(2_000);
  }
};

describe("a cordoned host", () => {
  test("gets nothing new, keeps what it has, and says why", () => {
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    expect(cordon("a", false, "new disk")).toEqual({ kind: "done" });
    expect(types()).toContain("host.cordoned");
    world.apply(serviceSpec("v", [workerGroup(1)]));
    world.settle();
    expect(on("a")).toEqual(["worker:ready"]);
    expect(world.replicas("v")[0]).toMatchObject({
      status: "pending",
      reason: "fits on no host: host a: is cordoned (new disk)",
    });
    uncordon("a");
    expect(types()).toContain("host.uncordoned");
    expect(on("a")).toEqual(["worker:ready", "worker:starting"]);
  });

  test("is cordoned once, however often it is asked for", () => {
    world.addHost("a");
    cordon("a");
    const { version } = world.state;
    cordon("a");
    expect(world.state.version).toBe(version);
    uncordon("a");
    expect(uncordon("a")).toEqual({ kind: "done" });
    expect(types().filter((type) => type.startsWith("host.") && type.includes("cordoned"))).toHaveLength(2);
  });

  test("that is drained already goes on being drained", () => {
    world.addHost("a");
    drain("a");
    cordon("a", false, "later");
    expect(host("a").cordons.operator).toMatchObject({ drain: true, reason: "later", by: "ada" });
  });

  test("that there is not is refused", () => {
    const message = "there is no host nobody: see headrace host list";
    for (const refused of [cordon("nobody"), uncordon("nobody")])
      expect(refused).toEqual({ kind: "refused", code: "not_found", message });
  });
});

describe("a host that is not well", () => {
  const health = (reason: string | null) => {
    const { changes } = stepWith(reason);
    for (const put of changes.puts) if (put.kind === "host") world.state.tables.host.put(put);
  };
  const stepWith = (reason: string | null) => {
    // Through a draft of its own, as a report takes it in.
    const draft = new Draft(world.state);
    const context = {
      draft,
      now: world.now,
      touched: new Set<string>(),
      weighed: new Set<string>(),
      rolled: new Set<string>(),
      roomFreed: false,
    };
    takeHealth({ ...context, placer: new Placer(draft, () => workerGroup(1)) }, "a", reason);
    world.events.push(...draft.events);
    return { changes: draft.changes() };
  };

  test("gets nothing new until it is well, whatever an operator says meanwhile", () => {
    world.addHost("a");
    health("accelerator 3 is gone");
    expect(types()).toContain("host.unwell");
    expect(uncordon("a")).toMatchObject({ kind: "refused", code: "conflict" });
    cordon("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(world.replicas("w")[0]?.reason).toBe(
      "fits on no host: host a: is cordoned and is not well (accelerator 3 is gone)",
    );
    uncordon("a");
    expect(world.summary("w")).toEqual(["worker:pending"]);
    health("accelerator 3 is gone");
    expect(types().filter((type) => type === "host.unwell")).toHaveLength(1);
    health(null);
    expect(types()).toContain("host.well");
    world.advance(10_000);
    expect(world.summary("w")).toEqual(["worker:starting"]);
  });

  test("stays cordoned by its operator when it is well again", () => {
    world.addHost("a");
    cordon("a");
    health("hot");
    health(null);
    expect(host("a").cordons).toMatchObject({ operator: { drain: false }, health: null });
  });
});

describe("a drained host", () => {
  test("is left by each replica only once another is ready in its place", () => {
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    world.addHost("b");
    drain("a");
    expect([on("a"), on("b")]).toEqual([["worker:ready"], ["worker:starting"]]);
    world.settle();
    expect([on("a"), on("b")]).toEqual([["worker:unlisting"], ["worker:ready"]]);
    expect(types()).not.toContain("host.drained");
    drainOut();
    expect([on("a"), on("b")]).toEqual([[], ["worker:ready"]]);
    expect(types()).toContain("host.drained");
  });

  test("moves away as many at a time as max_surge allows", () => {
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(3)]));
    world.settle();
    world.addHost("b");
    drain("a");
    expect(on("b")).toEqual(["worker:starting"]);
    world.sync("b");
    expect(on("b")).toEqual(["worker:ready", "worker:starting"]);
    expect(on("a")).toEqual(["worker:ready", "worker:ready", "worker:unlisting"]);
    drainOut();
    drainOut();
    expect([on("a"), on("b")]).toEqual([[], ["worker:ready", "worker:ready", "worker:ready"]]);
  });

  test("without room elsewhere keeps what it runs, and says what would let it go on", () => {
    world.addHost("a", { accelerators: gpus(1) });
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(1))]));
    world.settle();
    drain("a");
    drainOut();
    expect(on("a")).toEqual(["worker:ready"]);
    expect(describeLeaving(world.state, host("a"))).toEqual([
      {
        replica: "w-worker-1",
        waitsFor:
          "room for w-worker-2: fits on no host: host a: is being drained; " +
          "give it room elsewhere, or let the service do without one (max_unavailable: 1)",
      },
    ]);
    world.addHost("b", { accelerators: gpus(1) });
    expect(describeLeaving(world.state, host("a"))).toEqual([
      { replica: "w-worker-1", waitsFor: "w-worker-2 to be ready" },
    ]);
    world.settle();
    expect(describeLeaving(world.state, host("a"))).toEqual([
      { replica: "w-worker-1", waitsFor: "its requests to end" },
    ]);
    drainOut();
    expect(describeLeaving(world.state, host("a"))).toEqual([]);
  });

  test("is left at once by what the service can do without", () => {
    const rollout = { maxSurge: { replicas: 0 }, maxUnavailable: { percent: 50 }, canary: null };
    world.addHost("a", { accelerators: gpus(2) });
    world.apply(serviceSpec("w", [workerGroup(2, withGpus(1))], { rollout }));
    world.settle();
    drain("a");
    drainOut();
    expect(on("a")).toEqual(["worker:ready"]);
    expect(world.summary("w")).toEqual(["worker:pending", "worker:ready"]);
  });

  test("gets its replicas back when it is given back", () => {
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    world.addHost("b");
    drain("a");
    uncordon("a");
    drainOut();
    expect([on("a"), on("b")]).toEqual([["worker:ready"], []]);
  });

  test("loses a router only after another one serves, and a role its last worker only after that", () => {
    world.addHost("a", { accelerators: gpus(2) });
    world.apply(serviceSpec("pd", [routerGroup(), prefillGroup(1, withGpus(1)), decodeGroup(1, withGpus(1))]));
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:ready", "prefill:ready", "router:ready"]);
    world.addHost("b", { accelerators: gpus(2) });
    drain("a");
    for (let round = 0; round < 12; round += 1) {
      for (const group of ["router", "prefill", "decode"]) {
        expect(world.replicas("pd", group).filter(({ status }) => status === "ready")).not.toEqual([]);
      }
      for (const id of ["a", "b"]) world.sync(id);
      world.advance(2_000);
    }
    expect([on("a"), on("b")]).toEqual([[], ["decode:ready", "prefill:ready", "router:ready"]]);
  });

  test("with nothing on it is drained at once, and a stopping service just stops", () => {
    world.addHost("a");
    drain("a");
    expect(types()).toContain("host.drained");
    uncordon("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    drain("a");
    world.input({ kind: "stop", service: "w" });
    drainOut();
    expect(jobsOn("a")).toBe(0);
    expect(types().filter((type) => type === "host.drained")).toHaveLength(2);
  });

  test("whose replica was not ready is left by it too", () => {
    world.addHost("a");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.behaviour.set("w-worker-1", { state: "starting" });
    world.settle();
    world.addHost("b");
    drain("a");
    world.settle();
    expect([on("a"), on("b")]).toEqual([[], ["worker:ready"]]);
  });
});
