import { expect, test } from "vitest";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { simSealer } from "../../../test/sim/sealer.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { closedFleet } from "../../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import { StoreError } from "../../store/errors.ts";
import { HeadraceControl } from "../control.ts";
import type { Caller } from "../types.ts";

const [OLD, NEW] = ["0a", "0b"].map((pair) => pair.repeat(32)) as [string, string];

const ADMIN: Caller = { credentialId: "a", project: "main", kind: "admin", name: "a", subject: null };

const storeOfOne = async () => {
  const store = new MemoryStore();
  await store.createProject("main", 0, [NEW_PROJECT, closedFleet("default")]);
  return store;
};

/** A server that gives this build out, once it has read the project. */
async function begin(store: MemoryStore, build: string | null): Promise<HeadraceControl> {
  const builds = { server: build, kept: [], from: null };
  const control = new HeadraceControl({ store, seal: simSealer, clock: new HandClock(0), log: () => {}, builds });
  await control.start();
  // By then what it says is written, or has failed.
  await control.lookAtDue("main").catch(() => {});
  return control;
}

async function givenOut(store: MemoryStore): Promise<unknown> {
  const stored = await store.load("main");
  return stored?.entities.find(({ kind }) => kind === "project");
}

test("a server says once which build of the agent it gives out, whatever another one says after it", async () => {
  const store = await storeOfOne();
  const first = await begin(store, OLD);
  expect(await givenOut(store)).toMatchObject({ agentBuild: OLD });
  await begin(store, NEW);
  await first.lookAtDue("main");
  const request = { config: "type: fleet\nname: default\nblocks: 2\n", file: "fleet.yml" };
  await first.applyFleet(ADMIN, request, "key-00000001");
  expect(await givenOut(store)).toMatchObject({ agentBuild: NEW });
  expect((await first.fleets("main"))[0]?.agent).toMatchObject({
    build: null,
    message: "another server on this database gives out build 0b0b0b0b0b0b of the agent, which this one does not have",
  });
});

test("a server that gives out what is known, or nothing, writes nothing", async () => {
  const store = await storeOfOne();
  await begin(store, OLD);
  const { version } = (await store.load("main"))!;
  await begin(store, OLD);
  await begin(store, null);
  expect((await store.load("main"))?.version).toBe(version);
});

test("a server whose database failed it says it again", async () => {
  const store = await storeOfOne();
  const { commit } = store;
  store.commit = () => Promise.reject(new StoreError("refused", "not now"));
  const control = await begin(store, NEW);
  expect(await givenOut(store)).toMatchObject({ agentBuild: null });
  store.commit = commit.bind(store);
  await control.lookAtDue("main");
  await control.lookAtDue("main");
  expect(await givenOut(store)).toMatchObject({ agentBuild: NEW });
});
