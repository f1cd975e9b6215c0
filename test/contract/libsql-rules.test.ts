import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, InStatement, Transaction } from "@libsql/client";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/node/database.ts";
import { commitStatements } from "../../src/store/commit.ts";
import { createStore } from "../../src/store/libsql.ts";
import type { Store } from "../../src/store/types.ts";
import { commitOf, credential, fleet, replica } from "./store-samples.ts";

// What only the store on libSQL promises: how it waits, what it asks of the database, what its errors say.

let folder: string;
let client: Client;
let other: Client;
/** Runs in place of each wait of the store, with the milliseconds that it would have waited. */
let onWait: (ms: number) => Promise<void>;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-libsql-"));
  client = await openDatabase(folder);
  other = await openDatabase(folder);
  onWait = () => Promise.reject(new Error("this test expects no waiting"));
  store = createStore(client, { random: () => 0.5, sleep: (ms) => onWait(ms) });
  await store.createProject("main", 1, [fleet("default")]);
});

afterEach(async () => {
  await store.close();
  other.close();
  await rm(folder, { recursive: true });
});

test("that a file is used is noted without writing the file again", async () => {
  const body = new Uint8Array(2 * 1024 * 1024).fill(7);
  const room = { bytesMax: 2 * body.length, filesMax: 2 };
  const written = async (act: () => Promise<unknown>) => {
    await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    await act();
    return (await stat(join(folder, "headrace.db-wal"))).size;
  };
  const put = () => store.putFile("main", { sha256: "a", body }, 1, room);
  expect(await written(put)).toBeGreaterThan(body.length);
  // A few pages, whatever the file's size.
  expect(await written(() => store.useFiles("main", ["a"], 2))).toBeLessThan(64 * 1024);
  expect(await written(put)).toBeLessThan(64 * 1024);
  expect(await store.file("main", "a")).toEqual({ sha256: "a", body });
});

describe("while another process holds the database's lock", () => {
  let held: Transaction;
  beforeEach(async () => {
    held = await other.transaction("write");
  });
  afterEach(() => held.close());

  test("a commit waits, longer each time, and goes through once the lock is free", async () => {
    const waits: number[] = [];
    onWait = async (ms) => {
      waits.push(ms);
      if (waits.length === 4) await held.rollback();
    };
    expect(await store.commit(commitOf("main", 2, "a", { puts: [replica(1)] }))).toEqual({ kind: "committed" });
    expect(waits).toEqual([1.5, 3, 6, 12]);
    const read = async (pragma: string) => (await client.execute(`PRAGMA ${pragma}`)).rows[0]?.[0];
    expect([await read("journal_mode"), await read("synchronous"), await read("foreign_keys")]).toEqual(["wal", 2, 1]);
  });

  test("a commit gives up after a bounded time, says that nothing was done, and has done nothing", async () => {
    const waits: number[] = [];
    onWait = async (ms) => {
      waits.push(ms);
    };
    await expect(store.commit(commitOf("main", 2, "a", { puts: [replica(1)] }))).rejects.toMatchObject({
      name: "StoreError",
      code: "busy",
      message: "Could not write commit 2 of project main: the database stayed locked by another process for 12 tries.",
    });
    expect(waits).toHaveLength(11);
    expect(Math.max(...waits)).toBeLessThanOrEqual(500);
    await held.rollback();
    expect(await store.load("main")).toMatchObject({ version: 1, entities: [fleet("default")] });
  });

  test("calls made meanwhile are not lost with the connection that met the lock", async () => {
    let waits = 0;
    onWait = async () => {
      waits += 1;
      if (waits === 6) await held.rollback();
    };
    const commits = ["a", "b"].map((id) => store.commit(commitOf("main", 2, id)));
    const loads = await Promise.all(Array.from({ length: 5 }, () => store.load("main")));
    expect((await Promise.all(commits)).map(({ kind }) => kind).toSorted()).toEqual(["committed", "conflict"]);
    for (const loaded of loads) expect(loaded?.entities).toEqual([fleet("default")]);
  });

  test("a store closed while it waits stays closed", async () => {
    const closing = createStore(await openDatabase(folder), {
      random: () => 0,
      sleep: () => closing.close(),
    });
    await expect(closing.commit(commitOf("main", 2, "a"))).rejects.toMatchObject({ name: "StoreError" });
    await expect(closing.load("main")).rejects.toMatchObject({ name: "StoreError" });
  });

  test("reads do not wait at all", async () => {
    expect(await store.load("main")).toMatchObject({ version: 1 });
  });
});

describe("round trips", () => {
  /** A store that counts its calls of the database. */
  const counted = () => {
    const calls: string[] = [];
    const spy = new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          calls.push(String(name));
          return value.apply(target, args);
        };
      },
    });
    return { calls, store: createStore(spy) };
  };

  test("a commit is one, of any size", async () => {
    const { calls, store } = counted();
    const puts = Array.from({ length: 3_000 }, (_, serial) => replica(serial));
    await store.commit(commitOf("main", 2, "a", { puts, deletes: [{ kind: "fleet", id: "default" }] }));
    expect(calls).toEqual(["batch"]);
  });

  test("loading a project is one for each two thousand entities", async () => {
    const { calls, store } = counted();
    await store.load("main");
    expect(calls).toEqual(["batch"]);
    await store.commit(commitOf("main", 2, "a", { puts: Array.from({ length: 4_500 }, (_, n) => replica(n)) }));
    calls.length = 0;
    expect((await store.load("main"))?.entities).toHaveLength(4_501);
    expect(calls).toEqual(["batch", "batch", "batch"]);
  });

  test("between those of one load others have their turn", async () => {
    const { calls, store } = counted();
    await store.commit(commitOf("main", 2, "a", { puts: Array.from({ length: 4_500 }, (_, n) => replica(n)) }));
    calls.length = 0;
    const readBefore = new Set<number>();
    let turn = setImmediate(function look() {
      readBefore.add(calls.length);
      turn = setImmediate(look);
    });
    await store.load("main");
    clearImmediate(turn);
    expect([...readBefore]).toEqual(expect.arrayContaining([1, 2]));
  });
});

describe("loading while another controller commits", () => {
  const replicas = Array.from({ length: 2_500 }, (_, serial) => replica(serial));

  /** A store whose load is overtaken by a commit before each of its second pages, `times` times. */
  const overtaken = (times: number) => {
    const writer = createStore(other);
    let version = 2;
    let reads = 0;
    const slow = new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "batch" || typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          reads += 1;
          if (reads % 2 === 0 && reads <= times * 2) {
            version += 1;
            // One goes that the first page held, one comes that belongs to it: a mix of both states would show.
            await writer.commit(
              commitOf("main", version, `w${version}`, {
                puts: [{ ...replica(0), id: `a-${version}` }],
                deletes: [{ kind: "replica", id: version === 3 ? replica(0).id : `a-${version - 1}` }],
              }),
            );
          }
          return value.apply(target, args);
        };
      },
    });
    return createStore(slow);
  };

  beforeEach(async () => {
    await store.commit(commitOf("main", 2, "a", { puts: replicas }));
  });

  test("starts again, so that what is loaded was true at one instant", async () => {
    const loaded = await overtaken(2).load("main");
    expect(loaded?.version).toBe(4);
    const ids = loaded?.entities.map((entity) => entity.id).toSorted();
    const expected = ["default", "a-4", ...replicas.slice(1).map((each) => each.id)];
    expect(ids).toEqual(expected.toSorted());
  });

  test("gives up when it never comes to an end", async () => {
    await expect(overtaken(5).load("main")).rejects.toMatchObject({ name: "StoreError", code: "busy" });
  });
});

describe("one project at a time", () => {
  test("every statement of a commit binds its one project, and no row is written or picked without it", () => {
    const statements = commitStatements(
      commitOf("main", 2, "a", {
        puts: [replica(1)],
        deletes: [{ kind: "fleet", id: "default" }],
        secrets: [{ name: "s", version: "1", keyId: "k", sealed: "x" }],
        deletedSecrets: ["t"],
        idempotency: [{ key: "k", requestHash: "h", answer: "{}", at: 1 }],
      }),
    );
    expect(statements).toHaveLength(7);
    for (const statement of statements as Exclude<InStatement, string>[]) {
      expect(statement.args).toMatchObject({ project: "main" });
      expect(statement.sql).toMatch(/project = :project|\(\s*:project|SELECT :project/);
    }
  });
});

describe("what an error says", () => {
  test("of a refused statement: the place and the reason, never the values", async () => {
    const first = credential("main", "c1", { hash: "0123456789abcdef" });
    await store.putCredential(first);
    const refused = await store.putCredential({ ...first, id: "c2" }).catch((error: Error) => error);
    expect(refused).toMatchObject({
      name: "StoreError",
      message: expect.stringMatching(/^Could not store credential c2: .*UNIQUE constraint failed: credentials\.hash/),
    });
    expect(`${refused} ${(refused as Error).stack} ${(refused as Error).cause}`).not.toContain(first.hash);
  });

  test("of a closed store: that nothing was done", async () => {
    const closed = createStore(await openDatabase(folder));
    await closed.close();
    await expect(closed.commit(commitOf("main", 2, "a"))).rejects.toMatchObject({
      name: "StoreError",
      code: "refused",
    });
  });
});

test("any text that people write is stored and read back as it was", async () => {
  let version = 1;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), async (reason, service) => {
      version += 1;
      const written = { ...replica(1), reason, service };
      await store.commit(commitOf("main", version, `c${version}`, { puts: [written] }));
      expect((await store.load("main"))?.entities).toContainEqual(written);
    }),
    { numRuns: 200 },
  );
});
