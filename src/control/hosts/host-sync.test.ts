import { beforeEach, describe, expect, test } from "vitest";
import { commitOf } from "../../../test/contract/store-samples.ts";
import { inventoryAtFirst } from "../../../test/sim/agent.ts";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { simSealer } from "../../../test/sim/sealer.ts";
import { applyOf } from "../../../test/support/inputs.ts";
import { routerGroup, serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import { NO_BUILDS } from "../../core/hosts/agent-builds.ts";
import { NO_CORDONS } from "../../core/hosts/cordons.ts";
import { closedFleet } from "../../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import type { HostEntity } from "../../core/state.ts";
import type { ServiceSpec } from "../../spec/types.ts";
import type { CommitBatch, Store } from "../../store/types.ts";
import type { DesiredState, Report } from "../../wire/index.ts";
import { systemClock } from "../clock.ts";
import { sha256Hex } from "../digest.ts";
import { Project } from "../project.ts";
import { HostSync } from "./host-sync.ts";

const HOST: HostEntity = {
  kind: "host",
  id: "h1",
  name: "h1",
  fleet: "default",
  machine: "m1",
  inventory: inventoryAtFirst({ address: "10.0.0.1", accelerators: 1, containers: false }),
  silentSince: null,
  joinedAt: 0,
  offeredContainers: false,
  cordons: NO_CORDONS,
  update: null,
};

let store: MemoryStore;
let project: Project;
let sync: HostSync;

const report = (seq: number): Report => ({
  agent: { version: "0", bootId: "b", machine: "m1", incarnation: "i" },
  seq,
  applied: { version: 0, hash: "" },
  inventory: HOST.inventory,
  busyPorts: [],
  jobs: [],
  routers: [],
  peers: null,
});

beforeEach(async () => {
  store = new MemoryStore();
  await store.createProject("main", 0, [NEW_PROJECT, closedFleet("default"), HOST]);
  const log = () => undefined;
  project = new Project({
    name: "main",
    store,
    clock: systemClock,
    newId: () => crypto.randomUUID(),
    builds: NO_BUILDS,
    log,
    far: null,
  });
  sync = new HostSync(project, store, simSealer, sha256Hex);
});

async function apply(spec: ServiceSpec): Promise<void> {
  await project.controller.submit({ input: applyOf(spec), id: null, cause: "apply", actor: "ada" });
}

describe("a report that says nothing new", () => {
  const silent = async () => (await project.controller.state()).tables.host.byId.get("h1")?.silentSince ?? null;

  test("writes nothing", async () => {
    await sync.sync("h1", report(1));
    const { version } = await project.controller.state();
    await sync.sync("h1", report(2));
    expect((await project.controller.state()).version).toBe(version);
  });

  test("is answered with what the host shall run only if it does not hold it, and then however often it asks", async () => {
    const first = await sync.sync("h1", report(1));
    expect(first.desired).toMatchObject({ host: "h1", jobs: [] });
    const holding = { ...report(2), applied: { version: first.version, hash: first.hash } };
    expect(await sync.sync("h1", holding)).toMatchObject({ hash: first.hash, desired: null });
    expect(await sync.sync("h1", report(3))).toEqual(first);
    expect(await sync.sync("h1", report(4))).toEqual(first);
  });

  test("brings back a host that was called silent meanwhile", async () => {
    await sync.sync("h1", report(1));
    // Another controller, which has no link to the host, calls it silent.
    const state = await project.controller.state();
    state.tables.host.put({ ...HOST, silentSince: 1 });
    await sync.sync("h1", report(2));
    expect(await silent()).toBeNull();
  });

  test("brings back a host whose silence is being written", async () => {
    await sync.syncUnlinked("h1", report(1));
    await apply(serviceSpec("w", [workerGroup(1)]));
    expect((await project.controller.state()).tables.job.ids("host", "h1").size).toBe(1);
    const holding = (seq: number, version: number) => ({ ...report(seq), applied: { version, hash: "" } });
    const { version } = await project.controller.state();
    await sync.syncUnlinked("h1", holding(2, version));
    project.presence.unlinkedGone("h1", 0);
    await sync.sync("h1", holding(3, version));
    await project.controller.submit({ input: { kind: "time" }, id: null, cause: "time", actor: "test" });
    expect(await silent()).toBeNull();
    // And after that the same words are old ones again.
    const { version: written } = await project.controller.state();
    await sync.sync("h1", holding(4, version));
    expect((await project.controller.state()).version).toBe(written);
  });

  test("is taken in by a state that has not heard it", async () => {
    await sync.sync("h1", report(1));
    const state = await project.controller.state();
    state.observed.delete("h1");
    await sync.sync("h1", report(2));
    expect(state.observed.has("h1")).toBe(true);
  });
});

test("a host that runs another build of the agent than it should is told which, once it can update itself", async () => {
  const state = await project.controller.state();
  Object.assign(state, { agentBuilds: { server: "0b".repeat(32), kept: [], from: "https://d.example/agents" } });
  state.present.add("h1");
  expect((await sync.sync("h1", report(1))).agent).toBeUndefined();
  const installed = (build: string) => ({ ...report(0).agent, installed: { build: build.repeat(32), failed: null } });
  const answer = await sync.sync("h1", { ...report(2), agent: installed("0a") });
  expect(answer.agent).toEqual({ build: "0b".repeat(32), order: answer.version, from: "https://d.example/agents" });
  expect(await sync.sync("h1", { ...report(3), agent: installed("0a") })).toMatchObject({ agent: answer.agent });
  expect((await sync.sync("h1", { ...report(4), agent: installed("0b") })).agent).toBeUndefined();
});

describe("a host that another server on the database", () => {
  const elsewhere = (state: Awaited<ReturnType<Store["load"]>>, change: Pick<CommitBatch, "puts" | "deletes">) =>
    store.commit(commitOf("main", state!.version + 1, crypto.randomUUID(), change));

  test("let join is known at its first report", async () => {
    await project.controller.state();
    await elsewhere(await store.load("main"), { puts: [{ ...HOST, id: "h2", name: "h2" }], deletes: [] });
    expect(await sync.sync("h2", report(1))).toMatchObject({ desired: { host: "h2" } });
  });

  test("removed is refused, and its link ends", async () => {
    await sync.sync("h1", report(1));
    const closed: string[] = [];
    project.presence.linkOpened("h1", {
      request: () => Promise.reject(new Error("no requests here")),
      receive() {},
      close: (reason) => closed.push(reason),
      openStreams: 0,
    });
    await elsewhere(await store.load("main"), { puts: [], deletes: [{ kind: "host", id: "h1" }] });
    await project.controller.refresh();
    await expect(sync.sync("h1", report(2))).rejects.toMatchObject({ code: "not_found" });
    expect(closed).toEqual(["the host was removed from its project"]);
    expect((await project.controller.state()).present.has("h1")).toBe(false);
  });
});

test("a host that was removed is not remembered: what its agents said would be kept for ever", async () => {
  const by = (seq: number, incarnation: string) => ({ ...report(seq), agent: { ...report(seq).agent, incarnation } });
  await sync.sync("h1", by(1, "first"));
  await sync.sync("h1", by(1, "second"));
  await expect(sync.sync("h1", by(2, "first"))).rejects.toMatchObject({ code: "forbidden" });
  await project.hostRemoved("h1");
  await expect(sync.sync("h1", by(3, "first"))).resolves.toBeDefined();
});

describe("the hosts to try", () => {
  const trying = (seq: number, tag: string) => ({ ...report(seq), peers: { tag, round: 0, unreached: [] } });

  test("are sent until the agent has them, and then no more, so that its reports can stay as they are", async () => {
    const { peers } = await sync.sync("h1", trying(1, ""));
    expect(peers?.hosts).toEqual([]);
    expect((await sync.sync("h1", trying(2, ""))).peers).toEqual(peers);
    expect((await sync.sync("h1", trying(3, peers?.tag ?? ""))).peers).toBeNull();
  });

  test("are sent anew to an agent that has them once another host has come, and once it has gone", async () => {
    const first = (await sync.sync("h1", trying(1, ""))).peers?.tag ?? "";
    expect((await sync.sync("h1", trying(2, first))).peers).toBeNull();
    const state = await project.controller.state();
    const inventory = { ...HOST.inventory, address: "10.0.0.2" };
    state.tables.host.put({ ...HOST, id: "h2", name: "h2", inventory });
    expect((await sync.sync("h1", trying(3, first))).peers).toBeNull();
    state.present.add("h2");
    const { peers } = await sync.sync("h1", trying(4, first));
    expect(peers?.hosts).toEqual([{ host: "h2", address: "10.0.0.2", ports: [8_000] }]);
    expect((await sync.sync("h1", trying(5, peers?.tag ?? ""))).peers).toBeNull();
    state.present.delete("h2");
    expect((await sync.sync("h1", trying(6, peers?.tag ?? ""))).peers?.hosts).toEqual([]);
  });

  test("are not sent to an agent that knows of none", async () => {
    expect((await sync.sync("h1", report(1))).peers).toBeNull();
  });

  test("what of them was not reached is kept, with when it was first heard, and writes nothing", async () => {
    const unreached = [{ host: "h2", address: "10.0.0.2", ports: [8_000], whole: true, why: "no answer in 1 s" }];
    await sync.sync("h1", trying(1, "t"));
    const state = await project.controller.state();
    const { version } = state;
    await sync.sync("h1", { ...trying(2, "t"), peers: { tag: "t", round: 0, unreached } });
    const first = state.observed.get("h1")?.unreached.get("h2");
    expect(first?.why).toBe("no answer in 1 s");
    const more = [{ ...unreached[0], ports: [8_000, 8_998] }] as typeof unreached;
    await sync.sync("h1", { ...trying(3, "t"), peers: { tag: "t", round: 0, unreached: more } });
    expect(state.observed.get("h1")?.unreached.get("h2")).toMatchObject({ since: first?.since, ports: [8_000, 8_998] });
    await sync.sync("h1", trying(4, "t"));
    expect(state.observed.get("h1")?.unreached.size).toBe(0);
    expect((await project.controller.state()).version).toBe(version);
  });
});

describe("the key of a router", () => {
  async function keys(): Promise<Map<string, string | undefined>> {
    const { desired } = await sync.syncUnlinked("h1", report(2));
    const { jobs } = desired as DesiredState;
    return new Map(jobs.map((job) => [`${job.service} ${job.role}`, job.launch.env.HEADRACE_ROUTER_KEY]));
  }

  test("is given to routers alone, another one for each service", async () => {
    await sync.syncUnlinked("h1", report(1));
    await apply(serviceSpec("a", [routerGroup(), workerGroup(1)]));
    await apply(serviceSpec("b", [routerGroup()]));
    const found = await keys();
    expect(found.get("a worker")).toBeUndefined();
    expect(found.get("a router")).toMatch(/^[0-9a-f]{64}$/);
    expect(found.get("b router")).toMatch(/^[0-9a-f]{64}$/);
    expect(found.get("a router")).not.toBe(found.get("b router"));
    expect(await keys()).toEqual(found);
  });

  test("is the service's own where it sets one", async () => {
    await sync.syncUnlinked("h1", report(1));
    await apply(serviceSpec("a", [routerGroup({ env: { HEADRACE_ROUTER_KEY: "mine" } })]));
    expect((await keys()).get("a router")).toBe("mine");
  });
});
