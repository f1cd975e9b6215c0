import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../test/support/core-world.ts";
import { applyOf } from "../../test/support/inputs.ts";
import {
  decodeGroup,
  prefillGroup,
  routerGroup,
  serviceSpec,
  withGpus,
  workerGroup,
} from "../../test/support/specs.ts";
import type { GroupSpec } from "../spec/types.ts";
import type { JobEnd } from "../wire/index.ts";
import {
  DRAIN_DEFAULT_MS,
  LOST_AFTER_MS,
  PLACE_RETRY_MS,
  REPLACE_BACKOFF_BASE_MS,
  ROUTE_CACHE_MS,
  STOP_GRACE_MS,
  UNREADY_REPLACE_MS,
} from "./limits.ts";
import { describeWaiting } from "./services/routes.ts";
import { step } from "./step.ts";

const pd = (decodes = 2, over: Partial<GroupSpec> = {}) =>
  serviceSpec("pd", [routerGroup(over), prefillGroup(1, over), decodeGroup(decodes, over)]);

let world: World;
beforeEach(() => {
  world = new World();
  world.addHost("a");
});

function ready(spec = pd()): void {
  world.apply(spec);
  world.settle();
  expect(world.routes(spec.name).ready).toBe(true);
}

describe("the routes of a service whose only router is not ready any more", () => {
  const routerOf = () => world.replicas("pd", "router")[0]?.id ?? "";

  test("name it all the same: it may serve again before anybody hears of it", () => {
    ready();
    world.behaviour.set(routerOf(), { state: "unready", message: "the router does not serve yet: answered 503" });
    world.settle();
    expect(world.routes("pd")).toMatchObject({ ready: false, message: "router 0 of 1 ready" });
    expect(world.routes("pd").targets).toEqual([{ replica: routerOf(), host: "a", unready: true }]);
    world.behaviour.delete(routerOf());
    world.settle();
    expect(world.routes("pd").targets).toEqual([{ replica: routerOf(), host: "a" }]);
  });

  test("name those that are ready alone where there are several, and none that never was ready", () => {
    world.behaviour.set("pd-router-1", { state: "starting" });
    world.apply(serviceSpec("pd", [{ ...routerGroup(), count: { min: 2, max: 2 } }, prefillGroup(1), decodeGroup(1)]));
    world.settle();
    const [one, other] = world.replicas("pd", "router").map(({ id }) => id) as [string, string];
    expect(world.routes("pd").targets).toEqual([{ replica: other, host: "a" }]);
    world.behaviour.set(other, { state: "unready" });
    world.settle();
    expect(world.routes("pd").targets).toEqual([{ replica: other, host: "a", unready: true }]);
    world.behaviour.delete(one);
    world.settle();
    expect(world.routes("pd").targets).toEqual([{ replica: one, host: "a" }]);
  });

  test("go on naming it while a role has no ready worker: another router would not be ready either", () => {
    ready();
    const router = routerOf();
    const prefill = world.replicas("pd", "prefill")[0]?.id ?? "";
    world.behaviour.set(router, { state: "unready" });
    world.behaviour.set(prefill, { state: "backoff" });
    world.settle();
    // The prefill is replaced meanwhile, and its model takes long to load.
    world.behaviour.set("pd-prefill-5", { state: "starting" });
    for (let minutes = 0; minutes < 10; minutes += 1) {
      world.advance(UNREADY_REPLACE_MS);
      world.settle();
    }
    expect(world.summary("pd")).toEqual(["decode:ready", "decode:ready", "prefill:starting", "router:suspect"]);
    world.behaviour.delete("pd-prefill-5");
    world.settle();
    world.advance(UNREADY_REPLACE_MS - 1);
    expect(routerOf()).toBe(router);
    world.advance(1);
    world.settle();
    expect(world.events).toContainEqual(
      expect.objectContaining({
        type: "replica.unlisting",
        replica: router,
        message: expect.stringMatching(/^not ready for 60 s/),
      }),
    );
  });

  test("name no replica that is not ready where there is no router: it says itself that it does not serve", () => {
    ready(serviceSpec("w", [workerGroup(1)]));
    world.behaviour.set("w-worker-1", { state: "unready" });
    world.settle();
    expect(world.routes("w").targets).toEqual([]);
  });
});

describe("apply", () => {
  test("makes every replica, places it, and lists workers once they are ready", () => {
    expect(world.apply(pd())).toEqual({ kind: "applied", revision: 1, action: "create" });
    expect(world.summary("pd")).toEqual(["decode:starting", "decode:starting", "prefill:starting", "router:starting"]);
    expect(world.desired("pd").find((job) => job.role === "router")?.workers).toEqual([]);
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:ready", "decode:ready", "prefill:ready", "router:ready"]);
    const router = world.desired("pd").find((job) => job.role === "router");
    expect(router?.workers.map((worker) => [worker.role, worker.labels.pairing_protocol])).toEqual([
      ["decode", "p1"],
      ["decode", "p1"],
      ["prefill", "p1"],
    ]);
    expect(router?.workers.find((worker) => worker.role === "prefill")?.bootstrapPort).toBe(8998);
    expect(world.routes("pd")).toMatchObject({ router: true, ready: true, message: "" });
    expect(world.routes("pd").targets).toEqual([{ replica: world.replicas("pd", "router")[0]?.id, host: "a" }]);
  });

  test("of the same file changes nothing", () => {
    ready();
    const { version } = world.state;
    expect(world.apply(pd())).toEqual({ kind: "applied", revision: 1, action: "none" });
    expect(world.state.version).toBe(version);
  });

  test("of another count changes it in place and leaves the other replicas alone", () => {
    ready();
    const before = world.replicas("pd").map((replica) => replica.id);
    expect(world.apply(pd(3))).toMatchObject({ kind: "applied", revision: 2, action: "update" });
    world.settle();
    const after = world.replicas("pd").map((replica) => replica.id);
    expect(after).toHaveLength(5);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  test("of anything else to a running service is refused with what to do", () => {
    ready();
    const answer = world.apply(pd(2, { port: 9000 }));
    expect(answer).toMatchObject({ kind: "refused", code: "conflict" });
    expect(answer.kind === "refused" && answer.message).toMatch(
      /port can change only with new replicas.*headrace stop pd/,
    );
    expect(world.state.tables.service.byId.get("pd")?.revision).toBe(1);
  });

  test("on a plan of another revision is refused", () => {
    ready();
    expect(world.apply(pd(3), {}, 0)).toMatchObject({ kind: "refused", code: "stale_plan" });
    expect(world.apply(pd(3), {}, 1)).toMatchObject({ kind: "applied", revision: 2 });
  });

  test("needs a value for every passed-through variable", () => {
    const spec = pd(2, { env: { HF_TOKEN: null } });
    expect(world.apply(spec)).toMatchObject({ kind: "refused", code: "invalid_config" });
    expect(world.apply(spec, { HF_TOKEN: "v1" })).toMatchObject({ kind: "applied" });
    world.settle();
    const changed = world.apply(spec, { HF_TOKEN: "v2" });
    expect(changed.kind === "refused" && changed.message).toContain("env.HF_TOKEN");
  });

  test("waits with the reason when nothing fits, and goes on when room appears", () => {
    world.apply(serviceSpec("big", [workerGroup(1, withGpus(8))]));
    const [waiting] = world.replicas("big");
    expect(waiting?.status).toBe("pending");
    expect(waiting?.reason).toBe("fits on no host: host a: needs 8 x H200, it has none");
    expect(world.routes("big").message).toContain("worker 0 of 1 ready (fits on no host");
    const accelerators = Array.from({ length: 8 }, (_, index) => ({
      index,
      vendor: "nvidia" as const,
      name: "H200",
      memoryGib: 141,
    }));
    world.addHost("gpu", { accelerators });
    world.settle();
    expect(world.summary("big")).toEqual(["worker:ready"]);
    expect(world.desired("big")[0]?.accelerators).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

test("a probe reaches the agent in its own units: milliseconds, and methods in capitals", () => {
  const asked = { url: "/live", headers: [], body: null, readyAfter: 2, untilReady: true };
  const probes = [{ ...asked, type: "http" as const, method: "post" as const, timeout: 3, interval: 20 }];
  world.apply(serviceSpec("w", [workerGroup(1, { probes })]));
  const { url: path, ...rest } = asked;
  expect(world.desired("w")[0]?.probes).toEqual([
    { ...rest, path, method: "POST", timeoutMs: 3_000, intervalMs: 20_000 },
  ]);
});

test.each([
  ["sh", "/bin/sh"],
  ["bash", "/bin/bash"],
  ["/usr/bin/fish", "/usr/bin/fish"],
  [null, "/bin/bash"],
])("shell %s is %s on the host", (shell, path) => {
  world.apply(serviceSpec("w", [workerGroup(1)], { shell }));
  expect(world.desired("w")[0]?.launch.shell).toBe(path);
});

describe("readiness", () => {
  test("probes that fail take a worker out of the list, and one success puts it back", () => {
    ready();
    const [victim] = world.replicas("pd", "decode");
    const listed = () => world.desired("pd").flatMap((job) => job.workers.map((worker) => worker.replica));
    world.behaviour.set(victim?.id ?? "", { state: "unready", message: "3 probes failed" });
    world.settle();
    expect(world.replicas("pd", "decode").map((replica) => replica.status)).toEqual(["suspect", "ready"]);
    expect(listed()).not.toContain(victim?.id);
    world.behaviour.clear();
    world.settle();
    expect(listed()).toContain(victim?.id);
  });

  test("the last listed worker of a role stays though its probes fail", () => {
    ready(pd(1));
    const [only] = world.replicas("pd", "decode");
    world.behaviour.set(only?.id ?? "", { state: "unready" });
    world.settle();
    expect(world.replicas("pd", "decode")[0]?.status).toBe("suspect");
    expect(world.desired("pd").flatMap((job) => job.workers.map((worker) => worker.replica))).toContain(only?.id);
  });

  test("what is unready for too long is replaced", () => {
    ready();
    const [victim] = world.replicas("pd", "decode");
    world.behaviour.set(victim?.id ?? "", { state: "unready" });
    world.settle();
    world.advance(UNREADY_REPLACE_MS - 1);
    expect(world.replicas("pd", "decode").map((replica) => replica.id)).toContain(victim?.id);
    world.advance(1);
    expect(world.replicas("pd", "decode").find((replica) => replica.id === victim?.id)?.status).toBe("unlisting");
    world.settle();
    world.advance(REPLACE_BACKOFF_BASE_MS);
    world.settle();
    expect(world.replicas("pd", "decode").map((replica) => replica.id)).not.toContain(victim?.id);
    expect(world.summary("pd").filter((line) => line === "decode:ready")).toHaveLength(2);
  });

  test.each([
    [{ exitCode: 3, signal: null, outOfMemory: false, tail: "a log" }, "exit code 3"],
    [{ exitCode: null, signal: "SIGSEGV", outOfMemory: false, tail: "" }, "killed by SIGSEGV"],
    [{ exitCode: null, signal: "SIGKILL", outOfMemory: true, tail: "" }, "out of memory"],
    [
      { exitCode: null, signal: null, outOfMemory: false, tail: "more\nno space left\n" },
      "no exit code is known; its last words: no space left",
    ],
    [null, "no exit code is known"],
  ])("what is replaced says how it ended: %j", (end, said) => {
    failThrice(end);
    expect(world.events.map((event) => event.message)).toContain(`it ended 3 times within 5 minutes: ${said}`);
  });

  test("what could not even be started is replaced with the reason, and the service says it as long as nothing is ready", () => {
    world.behaviour.set("w-worker-1", { state: "starting" });
    failThrice({ exitCode: null, signal: null, outOfMemory: false, tail: "no such image", neverStarted: true });
    const reason = "it could not be started 3 times within 5 minutes: no such image";
    expect(world.events.map((event) => event.message)).toContain(reason);
    world.settle();
    const service = () => world.state.tables.service.byId.get("w")!;
    expect(world.replicas("w")).toEqual([]);
    expect(describeWaiting(world.state, service())).toBe(`worker 0 of 1 ready (${reason})`);
    // Callers of the service are not told.
    expect(world.routes("w").message).toBe("worker 0 of 1 ready");
    world.behaviour.set("w-worker-2", { state: "starting", message: "starts" });
    world.advance(REPLACE_BACKOFF_BASE_MS);
    world.settle();
    expect(describeWaiting(world.state, service())).toBe(
      `worker 0 of 1 ready (w-worker-2 on a: starts; the replica before: ${reason})`,
    );
    world.behaviour.set("w-worker-2", { state: "backoff", recentEnds: 1, attempt: 2, message: "could not be started" });
    world.settle();
    expect(describeWaiting(world.state, service())).toBe(
      "worker 0 of 1 ready (w-worker-2 on a: could not be started (start 2))",
    );
  });

  function failThrice(end: JobEnd | null): void {
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    const job = world.state.observed.get("a")?.jobs.get("w-worker-1.0");
    if (job) Object.assign(job, { state: "backoff", recentEnds: 3, lastEnd: end });
    world.input({ kind: "host_reported", host: "a" });
  }

  test("what ends three times within five minutes is replaced after a wait that grows", () => {
    world.apply(serviceSpec("w", [workerGroup(1)]));
    const waits: number[] = [];
    for (let failure = 1; failure <= 3; failure += 1) {
      for (const { id } of world.replicas("w")) world.behaviour.set(id, { state: "backoff", recentEnds: 3 });
      world.settle();
      expect(world.replicas("w")).toEqual([]);
      const backoff = world.state.tables.service.byId.get("w")?.backoff.worker;
      expect(backoff?.failures).toBe(failure);
      waits.push((backoff?.notBefore ?? 0) - world.now);
      world.advance((waits.at(-1) ?? 0) - 1);
      expect(world.replicas("w")).toEqual([]);
      world.advance(1);
      expect(world.summary("w")).toEqual(["worker:starting"]);
    }
    expect(waits).toEqual([REPLACE_BACKOFF_BASE_MS, 2 * REPLACE_BACKOFF_BASE_MS, 4 * REPLACE_BACKOFF_BASE_MS]);
    world.behaviour.clear();
    world.settle();
    expect(world.state.tables.service.byId.get("w")?.backoff).toEqual({});
  });
});

describe("draining", () => {
  test("a worker is told to quiesce only after its router has let go of it", () => {
    ready();
    const doomed = () => world.replicas("pd", "decode").find((replica) => replica.status !== "ready");
    for (const { id } of world.replicas("pd", "decode")) world.stuckInRouter.add(id);
    world.apply(pd(1));
    world.settle();
    const id = doomed()?.id ?? "";
    expect(doomed()?.status).toBe("unlisting");
    expect(world.desired("pd").find((job) => job.replica === id)?.phase).toEqual({ kind: "run" });
    world.behaviour.set(id, { idle: false });
    world.stuckInRouter.clear();
    world.settle();
    expect(doomed()?.status).toBe("quiescing");
    expect(world.desired("pd").find((job) => job.replica === id)?.phase.kind).toBe("quiesce");
    world.behaviour.clear();
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:ready", "prefill:ready", "router:ready"]);
  });

  test("a router's word of before the drain does not count", () => {
    ready();
    world.apply(pd(3));
    // The host reports the new decode ready with the list that its router had until then, which is without it.
    world.sync("a");
    const newest = world.replicas("pd", "decode").at(-1)?.id;
    world.apply(pd(2));
    const status = () => world.replicas("pd").find((replica) => replica.id === newest)?.status;
    expect(status()).toBe("unlisting");
    world.advance(ROUTE_CACHE_MS);
    expect(status()).toBe("unlisting");
    world.settle();
    expect(status()).toBeUndefined();
  });

  test("a router that never lets go holds a worker until its deadline and no longer", () => {
    ready();
    for (const { id } of world.replicas("pd", "decode")) world.stuckInRouter.add(id);
    world.apply(pd(1));
    world.settle();
    world.advance(DRAIN_DEFAULT_MS - 1);
    expect(world.summary("pd")).toContain("decode:unlisting");
    world.advance(1);
    expect(world.summary("pd")).toContain("decode:stopping");
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:ready", "prefill:ready", "router:ready"]);
  });

  test("a worker whose agent never ends it is stopped a grace after its deadline", () => {
    ready();
    world.apply(pd(1));
    const doomed = world.replicas("pd", "decode").find((replica) => replica.status === "unlisting")?.id ?? "";
    world.behaviour.set(doomed, { idle: false });
    world.settle();
    expect(world.summary("pd")).toContain("decode:quiescing");
    world.advance(DRAIN_DEFAULT_MS + STOP_GRACE_MS - 1);
    expect(world.summary("pd")).toContain("decode:quiescing");
    world.advance(1);
    expect(world.summary("pd")).toContain("decode:stopping");
  });

  test("a router whose process has ended holds no worker", () => {
    ready();
    for (const { id } of world.replicas("pd", "decode")) world.stuckInRouter.add(id);
    world.apply(pd(1));
    world.settle();
    expect(world.summary("pd")).toContain("decode:unlisting");
    world.behaviour.set(world.replicas("pd", "router")[0]?.id ?? "", { state: "backoff" });
    world.settle();
    expect(world.summary("pd").filter((line) => line.startsWith("decode"))).toEqual(["decode:ready"]);
  });

  test("a router whose process had ended before its agent heard of the drain may be started with the worker again", () => {
    ready();
    world.behaviour.set(world.replicas("pd", "router")[0]?.id ?? "", { state: "backoff" });
    world.settle();
    world.apply(pd(1));
    world.input({ kind: "time" });
    expect(world.summary("pd")).toContain("decode:unlisting");
    world.settle();
    expect(world.summary("pd").filter((line) => line.startsWith("decode"))).toEqual(["decode:ready"]);
  });

  test("stop: out of the routes, then the router, then the workers", () => {
    ready();
    world.input({ kind: "stop", service: "pd" });
    expect(world.routes("pd").targets).toEqual([]);
    expect(world.events.filter(({ service }) => service === "pd").map(({ type }) => type)).toContain(
      "service.stopping",
    );
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:ready", "decode:ready", "prefill:ready", "router:unlisting"]);
    world.behaviour.set(world.replicas("pd", "router")[0]?.id ?? "", {});
    world.advance(ROUTE_CACHE_MS);
    expect(world.summary("pd")).toEqual(["decode:ready", "decode:ready", "prefill:ready", "router:stopping"]);
    const router = world.desired("pd").find((job) => job.role === "router");
    expect(router?.phase).toEqual({ kind: "stop", withinMs: DRAIN_DEFAULT_MS - ROUTE_CACHE_MS });
    for (const { id } of world.replicas("pd")) if (!id.includes("router")) world.behaviour.set(id, { idle: false });
    world.settle();
    expect(world.summary("pd")).toEqual(["decode:quiescing", "decode:quiescing", "prefill:quiescing"]);
    world.behaviour.clear();
    world.settle();
    expect(world.state.tables.service.byId.get("pd")?.status).toBe("stopped");
    expect(world.events.at(-1)).toMatchObject({ type: "service.stopped", service: "pd" });
    expect(world.state.tables.job.byId.size).toBe(0);
    expect(world.input({ kind: "delete", service: "pd" })).toEqual({ kind: "done" });
    expect(world.state.tables.revision.byId.size).toBe(0);
  });

  test("a service that runs cannot be deleted", () => {
    ready();
    expect(world.input({ kind: "delete", service: "pd" })).toMatchObject({ kind: "refused", code: "conflict" });
  });

  test("a stop waits no longer for a router on a host that is lost, though the router is on its way out too", () => {
    world.addHost("b");
    ready(pd());
    const router = world.desired("pd").find((job) => job.role === "router")?.replica ?? "";
    const host = world.state.tables.job.byId.get(`${router}.0`)?.host ?? "";
    const elsewhere = () =>
      world.replicas("pd").filter(({ id }) => world.state.tables.job.byId.get(`${id}.0`)?.host !== host);
    expect(elsewhere().length).toBeGreaterThan(0);
    world.freeze(host, true);
    world.input({ kind: "stop", service: "pd" });
    world.settle();
    world.advance(LOST_AFTER_MS);
    world.settle();
    world.settle();
    expect(elsewhere()).toEqual([]);
  });

  test("where the proxy is in front, a worker quiesces once its routes are forgotten", () => {
    world.apply(serviceSpec("w", [workerGroup(2)]));
    world.settle();
    for (const { id } of world.replicas("w")) world.behaviour.set(id, { idle: false });
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(world.routes("w").targets).toHaveLength(1);
    world.settle();
    expect(world.summary("w")).toEqual(["worker:ready", "worker:unlisting"]);
    world.advance(ROUTE_CACHE_MS);
    expect(world.summary("w")).toEqual(["worker:quiescing", "worker:ready"]);
  });

  test("a commit that is long on its way takes nothing off the time that routes may be used for", () => {
    ready(serviceSpec("w", [workerGroup(1)]));
    world.commitMs = ROUTE_CACHE_MS * 2;
    world.input({ kind: "stop", service: "w" });
    world.commitMs = 0;
    world.advance(ROUTE_CACHE_MS - 1);
    expect(world.summary("w")).toEqual(["worker:unlisting"]);
    world.advance(1);
    expect(world.summary("w")).toEqual(["worker:quiescing"]);
  });

  test("a replica that was never ready is stopped at once", () => {
    world.apply(serviceSpec("w", [workerGroup(2)]));
    world.apply(serviceSpec("w", [workerGroup(1)]));
    const stopping = world.desired("w").find((job) => job.phase.kind !== "run");
    expect(stopping?.phase).toEqual({ kind: "stop", withinMs: STOP_GRACE_MS });
  });
});

describe("a silent host", () => {
  beforeEach(() => {
    world.addHost("b");
    ready(serviceSpec("w", [workerGroup(2)]));
    expect(world.desired("w").map((job) => job.job)).toHaveLength(2);
  });

  test("keeps its replicas until they are lost; then they are replaced, and its promises stand", () => {
    world.freeze("a", true);
    world.advance(LOST_AFTER_MS - 1);
    expect(world.summary("w")).toEqual(["worker:ready", "worker:ready"]);
    world.advance(1);
    world.settle();
    expect(world.summary("w")).toEqual(["worker:lost", "worker:ready", "worker:ready"]);
    expect(world.state.tables.job.ids("host", "a").size).toBe(1);
  });

  test("has its replicas let go when none are wanted any more", () => {
    world.freeze("a", true);
    world.advance(LOST_AFTER_MS);
    world.settle();
    world.apply(serviceSpec("w", [workerGroup(0)]));
    expect(world.summary("w")).toEqual(["worker:unlisting", "worker:unlisting", "worker:unlisting"]);
    expect(world.state.tables.job.ids("host", "a").size).toBe(1);
  });

  test("that returns with a healthy replica keeps it, and the replacement that is not ready yet goes", () => {
    world.freeze("a", true);
    world.advance(LOST_AFTER_MS);
    const replacement = world.replicas("w").find((replica) => replica.status === "starting");
    world.behaviour.set(replacement?.id ?? "", { state: "starting" });
    world.settle();
    world.freeze("a", false);
    world.settle();
    expect(world.summary("w")).toEqual(["worker:ready", "worker:ready"]);
    expect(world.replicas("w").map((replica) => replica.id)).not.toContain(replacement?.id);
  });

  test("that returns after its replacement is ready has its old replica drained", () => {
    const old = world.replicas("w").find((replica) => world.state.tables.job.ids("host", "a").has(`${replica.id}.0`));
    world.freeze("a", true);
    world.advance(LOST_AFTER_MS);
    world.settle();
    world.advance(1_000);
    world.freeze("a", false);
    world.settle();
    world.advance(ROUTE_CACHE_MS);
    world.settle();
    expect(world.summary("w")).toEqual(["worker:ready", "worker:ready"]);
    expect(world.replicas("w").map((replica) => replica.id)).not.toContain(old?.id);
  });
});

describe("a report", () => {
  test("from before a job was made does not end the job", () => {
    world.apply(serviceSpec("w", [workerGroup(1)]));
    const before = world.replicas("w").map((replica) => replica.id);
    world.input({ kind: "host_reported", host: "a" });
    expect(world.replicas("w").map((replica) => replica.id)).toEqual(before);
    expect(world.summary("w")).toEqual(["worker:starting"]);
  });

  test("that knows of a job and does not name it ends the job", () => {
    world.apply(serviceSpec("w", [workerGroup(1)]));
    const [first] = world.replicas("w");
    const observed = world.state.observed.get("a");
    if (observed) observed.report.applied.version = world.state.version;
    world.input({ kind: "host_reported", host: "a" });
    expect(world.events.map((event) => event.message)).toContain("its host does not run it any more");
    expect(world.summary("w")).toEqual(["worker:starting"]);
    expect(world.replicas("w")[0]?.id).not.toBe(first?.id);
  });
});

describe("step", () => {
  test("leaves the state that it was given as it is", () => {
    const before = JSON.stringify([...world.state.tables.host.byId.values()]);
    const input = applyOf(pd());
    const first = step(world.state, [input], world.now);
    const second = step(world.state, [input], world.now);
    expect(world.state.tables.replica.byId.size).toBe(0);
    expect(JSON.stringify([...world.state.tables.host.byId.values()])).toBe(before);
    expect(second).toEqual(first);
  });

  test("says when time alone can next change something, of all services", () => {
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(8))]));
    const tryAgainAt = world.now + PLACE_RETRY_MS;
    const wakeAt = (others: Record<string, number>) => {
      for (const [service, at] of Object.entries(others)) world.state.due.set(service, at);
      return step(world.state, [{ kind: "time" }], world.now).wakeAt;
    };
    expect(wakeAt({})).toBe(tryAgainAt);
    expect(wakeAt({ later: tryAgainAt + 1 })).toBe(tryAgainAt);
    expect(wakeAt({ sooner: tryAgainAt - 1 })).toBe(tryAgainAt - 1);
  });

  test("of services looked at says the earliest of their moments", () => {
    const waiting = (name: string) => serviceSpec(name, [workerGroup(1, withGpus(8))]);
    world.apply(waiting("one"));
    world.apply(pd());
    world.settle();
    const [suspect] = world.replicas("pd", "decode");
    world.behaviour.set(suspect?.id ?? "", { state: "unready" });
    world.sync("a");
    world.state.due.set("one", world.now);
    world.state.due.set("pd", world.now);
    const result = step(world.state, [{ kind: "time" }], world.now);
    expect(Object.fromEntries(result.due)).toEqual({
      one: world.now + PLACE_RETRY_MS,
      pd: world.now + UNREADY_REPLACE_MS,
    });
    expect(result.wakeAt).toBe(world.now + PLACE_RETRY_MS);
  });

  test("wakes the hosts that run something of what it changed, or did, and no others", () => {
    for (const id of ["b", "c"]) world.addHost(id);
    const apply = (count: number) => applyOf(serviceSpec("w", [workerGroup(count)]));
    expect(step(world.state, [apply(2)], world.now).effects).toEqual([
      { kind: "wake", host: "a" },
      { kind: "wake", host: "b" },
    ]);
    world.input(apply(2));
    expect(step(world.state, [apply(2)], world.now).effects).toEqual([]);
    world.input({ kind: "stop", service: "w" });
    const observed = world.state.observed.get("b");
    if (observed) observed.report.applied.version = world.state.version;
    const gone = step(world.state, [{ kind: "host_reported", host: "b" }], world.now);
    expect(gone.changes.deletes).toContainEqual({ kind: "job", id: "w-worker-2.0" });
    expect(gone.effects).toContainEqual({ kind: "wake", host: "b" });
  });

  test("looks at a service only when a report has news of it, or may be what it waits for", () => {
    const workers = serviceSpec("w", [workerGroup(2)]);
    ready();
    ready(workers);
    world.addHost("b");
    const report = (host: string) => {
      const { due, changes } = step(world.state, [{ kind: "host_reported", host }], world.now);
      return { looked: [...due.keys()], puts: changes.puts.length };
    };
    // The router's word may be waited for.
    expect(report("a")).toEqual({ looked: ["pd"], puts: 0 });
    expect(report("b")).toEqual({ looked: [], puts: 0 });
    const observed = world.state.observed.get("a")?.jobs.get("w-worker-5.0");
    if (observed) observed.state = "unready";
    expect(report("a")).toEqual({ looked: ["pd", "w"], puts: 1 });
  });

  test("wakes nobody for a worker that became ready but those whose routers list it", () => {
    for (const id of ["b", "c"]) world.addHost(id);
    world.apply(pd(4));
    world.settle();
    const hostOf = (replica: string) => world.state.tables.job.byId.get(`${replica}.0`)?.host;
    const router = hostOf(world.replicas("pd", "router")[0]?.id ?? "");
    const suspect = world.replicas("pd", "decode").find(({ id }) => hostOf(id) !== router)?.id ?? "";
    world.behaviour.set(suspect, { state: "unready" });
    world.woken.clear();
    world.sync(hostOf(suspect) ?? "");
    expect(world.replicas("pd").find(({ id }) => id === suspect)?.status).toBe("suspect");
    expect([...world.woken]).toEqual([router]);
  });

  test("looks at who waits for room only when there is new room", () => {
    world.apply(serviceSpec("big", [workerGroup(1, withGpus(8))]));
    ready();
    const looked = (input: Parameters<typeof step>[1][number]) => [...step(world.state, [input], world.now).due.keys()];
    expect(looked({ kind: "host_reported", host: "a" })).toEqual(["pd"]);
    expect(looked({ kind: "host_present", host: "a" })).toEqual(["big"]);
  });

  test("of a tick at which nothing is due changes nothing", () => {
    ready();
    const result = step(world.state, [{ kind: "time" }], world.now + 1_000);
    expect(result.changes).toEqual({ puts: [], deletes: [] });
    expect(result.effects).toEqual([]);
    expect(result.wakeAt).toBeNull();
  });

  test("forgets the sealed values of a deleted service and keeps those still in use", () => {
    const spec = serviceSpec("w", [workerGroup(1, { env: { HF_TOKEN: null } })]);
    world.apply(spec, { HF_TOKEN: "v1" });
    world.settle();
    world.input({ kind: "stop", service: "w" });
    world.settle();
    world.advance(ROUTE_CACHE_MS);
    world.settle();
    const result = step(world.state, [{ kind: "delete", service: "w" }], world.now);
    expect(result.unusedSecrets).toEqual(["env/w/HF_TOKEN/v1"]);
  });
});
