import { beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../test/sim/memory-store.ts";
import { Durable } from "../../test/support/edge/durable.ts";
import { INVENTORY, reportOf } from "../../test/support/reports.ts";
import { createSealer } from "../control/seal.ts";
import type { Caller } from "../control/types.ts";
import { firstStart } from "../node/first-start.ts";
import { StoreError } from "../store/errors.ts";
import type { Store } from "../store/types.ts";
import type { Env, HostName } from "./env.ts";
import { ProjectLife } from "./project-life.ts";

const ADMIN: Caller = { credentialId: "c1", project: "main", kind: "admin", name: "ann", subject: null };
const CONFIG = `
type: service
name: web
port: 8000
commands: [python3 -m http.server $HEADRACE_PORT]
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;

let durable: Durable;
let store: Store;
let life: ProjectLife;
let now: number;
let deployment: string;
/** Calls of hosts' objects, e.g. `wake h1`. */
let called: string[];
/** The objects that cannot be called. */
let away: Set<string>;
let isDatabaseAway: boolean;

/** The project's object is made anew, with what it has stored. */
async function wakeUp(project = "main"): Promise<void> {
  const call = async (what: string, { host }: HostName) => {
    if (away.has(host)) throw new Error("the object is away");
    called.push(`${what} ${host}`);
  };
  const stub = {
    wake: (host: HostName) => call("wake", host),
    forget: (host: HostName) => call("forget", host),
  };
  const LINK = { idFromName: (name: string) => ({ name }), get: () => stub };
  life = new ProjectLife({
    project,
    env: { LINK, VERSION: { id: deployment } } as unknown as Env,
    storage: durable.storage,
    store,
    seal: await createSealer([new Uint8Array(32).fill(7)]),
    log: () => {},
    calendar: () => now,
  });
}

/** Everything that was begun is done. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Time passes until the alarm rings; the object may have slept meanwhile. */
async function ring({ asleep }: { asleep: boolean }): Promise<void> {
  if (durable.alarm === null) throw new Error("no alarm is set");
  const scheduled = durable.alarm;
  now = Math.max(now, scheduled);
  durable.alarm = null;
  if (asleep) await wakeUp();
  await life.rang(scheduled);
  await turn();
}

/** A host that joined, is linked and has reported. @returns its id */
async function here(name: string): Promise<string> {
  const caller: Caller = { ...ADMIN, kind: "join", name: "j", subject: "default", credentialId: `join-${name}` };
  const { token, id } = await life.control.createToken(
    ADMIN,
    { kind: "join", name: "j", fleet: "default" },
    `token-${name}`,
  );
  expect(token).toContain("hrj_");
  const request = { name, machine: name, agentVersion: "0", inventory: INVENTORY, credentialHash: `hash-${name}` };
  const { host } = await life.control.join({ ...caller, credentialId: id }, request);
  life.hostHere(host, true);
  await sync(host, name);
  return host;
}

async function sync(host: string, name: string): Promise<void> {
  const agent = { version: "0", bootId: "b", machine: name, incarnation: "i1" };
  await life.call("syncRelayed", ["main", host, reportOf({ agent }), true]);
  await turn();
}

/** A store that notes its commits, and can be away. */
function observed(memory: MemoryStore): Store {
  const names = Object.getOwnPropertyNames(MemoryStore.prototype) as (keyof Store)[];
  const methods = names.map((name) => {
    const method = async (...args: never[]) => {
      if (isDatabaseAway) throw new StoreError("unavailable", "the database is away");
      if (name === "commit") durable.done.push("commit");
      return (memory[name] as (...args: never[]) => Promise<unknown>).apply(memory, args);
    };
    return [name, method];
  });
  return Object.fromEntries(methods);
}

beforeEach(async () => {
  durable = new Durable();
  now = 1_000_000;
  deployment = "1";
  called = [];
  away = new Set();
  isDatabaseAway = false;
  store = observed(new MemoryStore());
  await firstStart(store, now);
  await wakeUp();
});

describe("the alarm", () => {
  test("is set before each commit, so that a crash after it is looked after", async () => {
    await here("one");
    for (const change of ["apply", "stop"] as const) {
      // Whatever was set before has rung.
      await ring({ asleep: false });
      durable.done.length = 0;
      if (change === "apply")
        await life.control.apply(ADMIN, { config: CONFIG, file: "web.yml", env: {}, files: [] }, "key-apply");
      else await life.control.stop(ADMIN, "web", "key-stop");
      expect(durable.done.slice(0, 2)).toEqual(["alarm", "commit"]);
      expect(durable.alarm).toBeLessThanOrEqual(now + 5_000);
    }
  });

  test("that finds the database away is set again until the database is back", async () => {
    const host = await here("one");
    await life.control.apply(ADMIN, { config: CONFIG, file: "web.yml", env: {}, files: [] }, "key-apply");
    isDatabaseAway = true;
    // More often than the platform would try.
    for (let i = 0; i < 20; i += 1) {
      await ring({ asleep: true });
      expect(durable.alarm).toBe(now + 10_000);
    }
    isDatabaseAway = false;
    called = [];
    await ring({ asleep: true });
    expect(called).toContain(`wake ${host}`);
  });

  test.each([
    ["the same life", false],
    ["another life", true],
  ])("that was lost is made up for by %s when somebody looks at what is due", async (_, asleep) => {
    const host = await here("one");
    await life.control.apply(ADMIN, { config: CONFIG, file: "web.yml", env: {}, files: [] }, "key-apply");
    life.hostGone(host, true, 0);
    // It is silent after ten seconds, and lost later, by time alone.
    while (now < 1_020_000 && (durable.alarm ?? 0) < 1_020_000) await ring({ asleep: false });
    const wakeAt = (await store.load("main"))?.wakeAt ?? 0;
    expect(wakeAt).toBeGreaterThan(now);
    expect(durable.alarm).toBe(wakeAt);
    durable.alarm = null;
    now = wakeAt + 31_000;
    if (asleep) await wakeUp();
    await life.due();
    await turn();
    const { rows } = await store.journal("main", 0, 100);
    expect(rows.at(-1)?.events.map(({ type }) => type)).toContain("replica.lost");
  });
});

describe("hosts are listened to", () => {
  const since = async () => {
    await wakeUp();
    return life.listeningSince();
  };

  test("since the first life, however many follow, and anew after a deployment", async () => {
    expect(await since()).toBe(1_000_000);
    now += 60_000;
    expect(await since()).toBe(1_000_000);
    deployment = "2";
    expect(await since()).toBe(1_060_000);
  });

  test("anew after an alarm that rang much too late, and not after one that was a little late", async () => {
    await since();
    const scheduled = now;
    now += 9_000;
    await life.rang(scheduled);
    expect(life.listeningSince()).toBe(1_000_000);
    now += 2_000;
    await life.rang(scheduled);
    expect(life.listeningSince()).toBe(now);
  });

  test("and one that went is remembered across lives until it is back", async () => {
    const host = await here("one");
    life.hostGone(host, true, 4_000);
    await wakeUp();
    expect([[...life.here()], [...life.gone()]]).toEqual([[], [{ host, at: 1_000_000, silentMs: 4_000 }]]);
    life.hostHere(host, false);
    await wakeUp();
    expect([[...life.here()], [...life.gone()]]).toEqual([[{ host, link: null }], []]);
  });
});

describe("a life that begins", () => {
  test("wakes those who are here, so that they say again what only they know", async () => {
    const hosts = [await here("one"), await here("two")];
    called = [];
    await wakeUp();
    await life.call("services", ["main"]);
    await turn();
    expect(called.sort()).toEqual(hosts.map((host) => `wake ${host}`).sort());
  });

  test("places on all who are here, once they have said what they run, and waits for none that went", async () => {
    const [one, two, three] = [await here("one"), await here("two"), await here("three")];
    const config = CONFIG.replace("port: 8000", "replicas: 2\nport: 8000");
    await wakeUp();
    let isPlanned = false;
    const planned = life.control.plan(ADMIN, { config, file: "web.yml", env: {}, files: [] });
    void planned.then(() => {
      isPlanned = true;
    });
    await sync(two, "two");
    life.hostGone(three, true, 0);
    await turn();
    expect(isPlanned).toBe(false);
    await sync(one, "one");
    await planned;
    await life.control.apply(ADMIN, { config, file: "web.yml", env: {}, files: [] }, "key-apply");
    const jobs = (await store.load("main"))?.entities.filter((entity) => entity.kind === "job") ?? [];
    expect(new Set(jobs.map(({ host }) => host))).toEqual(new Set([one, two]));
  });

  test("writes nothing for a project that somebody made up", async () => {
    await wakeUp("nobodys");
    await expect(life.call("services", ["nobodys"])).rejects.toMatchObject({ code: "not_found" });
    expect(durable.values.size).toBe(0);
  });

  test("tells a removed host's object what the one before could not", async () => {
    const host = await here("one");
    away.add(host);
    await life.call("removeHost", [ADMIN, host, false, "key-remove"]);
    await turn();
    expect(called.filter((call) => call.startsWith("forget"))).toEqual([]);
    // What it says meanwhile concerns nobody.
    life.hostHere(host, true);
    expect([...life.here()]).toEqual([]);
    life.hostGone(host, true, 0);
    expect([...life.gone()]).toEqual([]);
    away.clear();
    await wakeUp();
    await turn();
    expect(called.filter((call) => call.startsWith("forget"))).toEqual([`forget ${host}`]);
    expect([...durable.values.keys()].filter((key) => key.includes(host))).toEqual([]);
  });
});
