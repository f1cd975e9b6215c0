import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { remoteClient } from "../../src/store/remote.ts";
import { type Store, UnclearOutcome } from "../../src/store/types.ts";
import { commitOf, credential, fleet, replica } from "./store-samples.ts";

// What only the store over HTTP promises: how many requests it makes, how large, and what it makes of a bad server.

let folder: string;
let server: LibsqlServer;
let store: Store;
let waits: number[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-http-"));
  server = await LibsqlServer.start(join(folder, "server.db"));
  (await migrateRemote(server.url, null)).close();
  waits = [];
  store = createStore(remoteClient(server.url, null), {
    random: () => 0.5,
    sleep: async (ms) => void waits.push(ms),
  });
  await store.createProject("main", 1, [fleet("default")]);
});

afterEach(async () => {
  await store.close();
  await server.close();
  await rm(folder, { recursive: true });
});

/** How many requests something takes. */
async function requestsOf(act: () => Promise<unknown>): Promise<number> {
  const before = server.bodies.length;
  await act();
  return server.bodies.length - before;
}

describe("requests", () => {
  test("every method of the store is one, whatever it finds", async () => {
    const join = credential("main", "j1", { kind: "join", subject: "default" });
    const host = credential("main", "h1", { kind: "host", subject: "h1" });
    const whole = commitOf("main", 2, "a", {
      puts: [replica(1)],
      deletes: [{ kind: "fleet", id: "default" }],
      secrets: [{ name: "s", version: "1", keyId: "k", sealed: "x" }],
      deletedSecrets: ["t"],
      idempotency: [{ key: "k", requestHash: "h", answer: "{}", at: 1 }],
      credentials: [credential("main", "m1")],
      revokedTokens: ["m2"],
    });
    const calls: Record<Exclude<keyof Store, "close">, () => Promise<unknown>> = {
      createProject: () => store.createProject("second", 1, [fleet("default")]),
      projects: () => store.projects(),
      overdue: () => store.overdue(Date.now(), 10),
      load: () => store.load("main"),
      commit: () => store.commit(whole),
      inputsSince: () => store.inputsSince("main", 0),
      journal: () => store.journal("main", 0, 100),
      trimJournal: () => store.trimJournal("main", 1),
      idempotency: () => store.idempotency("main", "k"),
      trimIdempotency: () => store.trimIdempotency(2),
      putFile: () => store.putFile("main", { sha256: "a", body: new Uint8Array(3) }, 1, { bytesMax: 10, filesMax: 1 }),
      file: () => store.file("main", "a"),
      useFiles: () => store.useFiles("main", ["a", "b"], 2),
      trimFiles: () => store.trimFiles("main", 3),
      secrets: () => store.secrets("main", ["s"]),
      putCredential: () => store.putCredential(join),
      credential: () => store.credential(join.hash),
      credentials: () => store.credentials("main"),
      redeemJoin: () => store.redeemJoin("j1", 1, host),
      deleteCredential: () => store.deleteCredential("main", "h1"),
    };
    const made: Record<string, number> = {};
    for (const [name, call] of Object.entries(calls)) made[name] = await requestsOf(call);
    expect(made).toEqual(Object.fromEntries(Object.keys(calls).map((name) => [name, 1])));
  });

  test("a refusal costs a second one, which says whose the version is or that the project is there", async () => {
    await store.commit(commitOf("main", 2, "theirs"));
    expect(await requestsOf(() => store.commit(commitOf("main", 2, "ours")))).toBe(2);
    expect(await requestsOf(() => store.createProject("main", 1, []))).toBe(2);
  });

  test("a project of ten thousand entities is written by one of 5 MB, and read in one for each two thousand", async () => {
    const puts = Array.from({ length: 10_000 }, (_, serial) => replica(serial));
    expect(await requestsOf(() => store.commit(commitOf("main", 2, "a", { puts })))).toBe(1);
    expect(server.bodies.at(-1)).toBeGreaterThan(3_000_000);
    expect(server.bodies.at(-1)).toBeLessThan(5_000_000);
    expect(await requestsOf(() => store.load("main"))).toBe(6);
  });
});

describe("a server that", () => {
  const batch = commitOf("main", 2, "a", { puts: [replica(1)] });

  test("is locked is asked again, longer apart each time, and nothing is done twice", async () => {
    server.fail("busy", "busy", "busy");
    expect(await store.commit(batch)).toEqual({ kind: "committed" });
    expect(waits).toEqual([1.5, 3, 6]);
    server.fail("busy", "busy");
    expect(await store.load("main")).toMatchObject({ version: 2 });
    server.fail("busy");
    await store.putCredential(credential("main", "c1"));
    expect(await store.credentials("main")).toHaveLength(1);
  });

  test("stays locked is given up, with nothing done", async () => {
    server.fail(...Array.from({ length: 12 }, () => "busy" as const));
    await expect(store.commit(batch)).rejects.toMatchObject({ name: "StoreError", code: "busy" });
    expect(waits).toHaveLength(11);
    expect(await store.load("main")).toMatchObject({ version: 1 });
  });

  test("answers with a failure of its own leaves a write's fate open, and a read undone", async () => {
    server.fail("refused");
    await expect(store.commit(batch)).rejects.toBeInstanceOf(UnclearOutcome);
    server.fail("refused");
    await expect(store.load("main")).rejects.toMatchObject({
      name: "StoreError",
      code: "unavailable",
      message: expect.stringMatching(/^Could not load project main: .*503/),
    });
    expect(await store.commit(batch)).toEqual({ kind: "committed" });
  });

  test("is slow makes others wait for nothing but their own answers", async () => {
    let go = () => {};
    server.fail(new Promise<void>((resolve) => (go = resolve)));
    const slow = store.commit(batch);
    await expect.poll(() => server.bodies.length).toBeGreaterThan(0);
    expect(await store.load("main")).toMatchObject({ version: 1 });
    go();
    expect(await slow).toEqual({ kind: "committed" });
  });

  test("cannot be reached is named with the reason, never with the token", async () => {
    const { url } = server;
    await server.close();
    const away = createStore(remoteClient(url, "a-secret-token"));
    const refused: Error = await away.load("main").then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(refused).toMatchObject({ name: "StoreError", code: "unavailable" });
    expect(refused.message).toMatch(/^Could not load project main: fetch failed \(.+\)$/);
    expect(`${refused.stack} ${refused.cause}`).not.toContain("a-secret-token");
    await away.close();
    server = await LibsqlServer.start(join(folder, "server.db"));
  });
});

test("of a closed store an error says that nothing was done", async () => {
  const closed = createStore(remoteClient(server.url, null));
  await closed.close();
  await expect(closed.commit(commitOf("main", 2, "a"))).rejects.toMatchObject({ name: "StoreError", code: "refused" });
  await expect(closed.trimJournal("main", 1)).rejects.toMatchObject({ name: "StoreError", code: "refused" });
  expect(await store.load("main")).toMatchObject({ version: 1 });
});
