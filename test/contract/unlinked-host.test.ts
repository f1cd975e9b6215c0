import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HeadraceControl } from "../../src/control/control.ts";
import { withinReach } from "../../src/control/hosts/within-reach.ts";
import { createSealer } from "../../src/control/seal.ts";
import type { Caller } from "../../src/control/types.ts";
import { openDatabase } from "../../src/node/database.ts";
import { FIRST_PROJECT, firstStart } from "../../src/node/first-start.ts";
import { createStore } from "../../src/store/libsql.ts";
import type { Store } from "../../src/store/types.ts";
import type { DesiredState, Report, SyncAnswer } from "../../src/wire/index.ts";
import { HandClock } from "../support/hand-clock.ts";
import { INVENTORY, jobReportOf, reportOf } from "../support/reports.ts";

// A host whose network lets no link through: it only asks, and is there for as long as it does.

const ADMIN: Caller = { credentialId: "c", project: FIRST_PROJECT, kind: "admin", name: "ann", subject: null };
const CONFIG = `
type: service
name: web
port: 8000
commands: [python3 -m http.server 8000]
resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
`;

let folder: string;
let clock: HandClock;
let store: Store;
let control: HeadraceControl;
let host: string;
let seq = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-unlinked-"));
  clock = new HandClock(Date.now());
  store = createStore(await openDatabase(folder));
  await firstStart(store, clock.now());
  const seal = await createSealer([new Uint8Array(32).fill(7)]);
  control = new HeadraceControl({ store, seal, clock, log: () => {} });
  const token = await control.createToken(ADMIN, { kind: "join", name: "j", fleet: "default" }, crypto.randomUUID());
  const caller = (await control.authenticate(token.token)) as Caller;
  const request = { name: "h1", machine: "m1", agentVersion: "0", inventory: INVENTORY };
  ({ host } = await control.join(caller, { ...request, credentialHash: "0".repeat(64) }));
});

afterEach(async () => {
  control.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** The next report of the host. */
function nextReport(over: Partial<Report> = {}): Report {
  seq += 1;
  return reportOf({ seq, ...over });
}

const sync = (over: Partial<Report> = {}) => control.syncUnlinked(FIRST_PROJECT, host, nextReport(over));
const replica = async () => (await control.serviceView(FIRST_PROJECT, "web"))?.replicas[0];
const hostView = async () => (await control.hosts(FIRST_PROJECT))[0];
const events = async (type: string) => {
  const { commits } = await control.journal(FIRST_PROJECT, 0, 1_000);
  return commits.flatMap((commit) => commit.events).filter((event) => event.type === type);
};

/** What an agent says that runs what it was told to, and holds what it was told. */
function running(answer: SyncAnswer): Partial<Report> {
  const { jobs } = answer.desired as DesiredState;
  return {
    applied: { version: answer.version, hash: answer.hash },
    jobs: jobs.map((job) => jobReportOf(job, { confirmed: { role: "worker", bootstrapPort: null } })),
  };
}

/** Applied, placed on the host and ready there. @returns what the agent goes on saying */
async function serve(): Promise<Partial<Report>> {
  await sync();
  await control.apply(ADMIN, { config: CONFIG, file: "web.yml", env: {}, files: [] }, "key-0001");
  const told = running(await sync());
  await sync(told);
  expect(await replica()).toMatchObject({ status: "ready", host: "h1" });
  return told;
}

describe("a host that syncs without a link", () => {
  test("is there, gets jobs, and comes back soon, sooner when it has some", async () => {
    expect(await hostView()).toMatchObject({ online: false });
    expect((await sync()).nextSyncInMs).toBe(10_000);
    expect(await hostView()).toMatchObject({ online: true });
    await control.apply(ADMIN, { config: CONFIG, file: "web.yml", env: {}, files: [] }, "key-0001");
    expect(await replica()).toMatchObject({ status: "starting", host: "h1" });
    const answer = await sync();
    expect((answer.desired as DesiredState).jobs).toHaveLength(1);
    expect(answer.nextSyncInMs).toBe(2_000);
    expect((await sync(running(answer))).desired).toBeNull();
    expect(await replica()).toMatchObject({ status: "ready" });
  });

  test("is silent 10 s after it promised to come, and back with the same words", async () => {
    const told = await serve();
    const heardAt = clock.now();
    clock.advance(11_999);
    expect(await hostView()).toMatchObject({ online: true, silentSince: null });
    clock.advance(1);
    await expect.poll(async () => (await hostView())?.silentSince).toBe(heardAt);
    expect(await hostView()).toMatchObject({ online: false });
    await sync(told);
    expect(await hostView()).toMatchObject({ online: true, silentSince: null });
    expect(await events("host.returned")).toHaveLength(1);
    expect(await replica()).toMatchObject({ status: "ready" });
  });

  test("is never silent while it keeps its promises, and says nothing new at no cost", async () => {
    const told = await serve();
    const { length } = (await control.journal(FIRST_PROJECT, 0, 1_000)).commits;
    for (let i = 0; i < 50; i += 1) {
      await sync(told);
      clock.advance(2_000);
    }
    expect((await control.journal(FIRST_PROJECT, 0, 1_000)).commits).toHaveLength(length);
  });

  test("is lost after half a minute, and what returns is taken for what it is", async () => {
    const told = await serve();
    clock.advance(12_000);
    await expect.poll(async () => (await hostView())?.silentSince).not.toBeNull();
    // The controller that has just begun to listen gives every agent 45 s.
    clock.advance(45_000);
    await expect.poll(async () => (await replica())?.status).toBe("lost");
    await sync(told);
    await expect.poll(async () => (await replica())?.status).toBe("ready");
  });

  test("carries no requests: the proxy is told why, until there is a link", async () => {
    const told = await serve();
    const source = withinReach(control, (project, id) => control.isUnlinked(project, id));
    const entry = await source.service(FIRST_PROJECT, "web");
    expect(entry).toMatchObject({ targets: [], message: expect.stringContaining("lets no link through") });
    // Where there is another way than the link, it is taken.
    const direct = { request: () => Promise.reject(new Error("nothing is sent here")) };
    const service = () => control.service(FIRST_PROJECT, "web");
    const reached = withinReach({ ...source, service, way: () => direct }, () => true);
    expect((await reached.service(FIRST_PROJECT, "web"))?.targets).toMatchObject([{ host }]);
    await expect(
      control.logs(FIRST_PROJECT, "web", { tailLines: 1, follow: false }, AbortSignal.timeout(5_000)),
    ).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("lets no link through") });

    const link = { request: () => new Promise<never>(() => {}), receive() {}, close() {}, openStreams: 0 };
    control.linkOpened(FIRST_PROJECT, host, link);
    expect((await source.service(FIRST_PROJECT, "web"))?.targets).toMatchObject([{ host }]);
    expect(await control.sync(FIRST_PROJECT, host, nextReport(told))).toMatchObject({ nextSyncInMs: 10_000 });
    clock.advance(3_600_000);
    expect(await hostView()).toMatchObject({ online: true, silentSince: null });
  });

  test("of another machine, or taken over by another agent, is refused and not taken for the host", async () => {
    const agent = (over: Partial<Report["agent"]>) => ({ agent: { ...nextReport().agent, ...over } });
    await expect(sync(agent({ machine: "m2" }))).rejects.toMatchObject({ code: "forbidden" });
    expect(await hostView()).toMatchObject({ online: false });
    await sync(agent({ incarnation: "i1" }));
    await sync(agent({ incarnation: "i2" }));
    clock.advance(20_000);
    await expect.poll(async () => (await hostView())?.online).toBe(false);
    await expect(sync(agent({ incarnation: "i1" }))).rejects.toMatchObject({ code: "forbidden" });
    expect(await hostView()).toMatchObject({ online: false });
  });

  test("that was removed is refused", async () => {
    await sync();
    await control.removeHost(ADMIN, host, false, "key-0001");
    await expect(sync()).rejects.toMatchObject({ code: "not_found" });
    expect(await control.hosts(FIRST_PROJECT)).toEqual([]);
  });
});
