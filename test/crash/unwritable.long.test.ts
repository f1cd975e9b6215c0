import { closeSync, cpSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Client, createClient } from "@libsql/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CrashServer, serverFiles } from "./crash-server.ts";
import { databaseFacts } from "./database-facts.ts";
import { rehearse, type Stage, settle, Workbench } from "./kill-at-write.ts";
import { apply, hasReady, PLAIN_LIFE, type World } from "./world.ts";

let bench: Workbench;
/** A service with two ready workers. */
let stage: Stage;
let facts: Stage["facts"];
beforeAll(async () => {
  bench = await Workbench.make();
  const stages = await rehearse(bench, PLAIN_LIFE);
  stage = stages[3] as Stage;
  facts = (stages[2] as Stage).facts;
});
afterAll(() => bench.remove());

const agentOf = ({ world }: Stage) => world.agent?.clone() as NonNullable<World["agent"]>;

/** A small disk of the server's own, with what is in its data folder. */
const SMALL_DISK = `
cp -a "$DATA" "$DATA.before"
mount -t tmpfs -o size=6m tmpfs "$DATA"
cp -a "$DATA.before/." "$DATA"`;

test("a full disk refuses changes clearly, serves what it knows, and goes on once there is room", async () => {
  const folder = await bench.copy(stage.folder);
  const { dataDir } = serverFiles(folder);
  const { adminToken } = stage.world;
  const server = await CrashServer.start(folder, bench.codeCache, { mounts: SMALL_DISK });
  const agent = agentOf(stage);
  try {
    const filler = server.seenAt(join(dataDir, "filler"));
    fill(filler);
    await agent.connect(server.url);
    await agent.sync();
    const refused = await apply(server.url, adminToken, "key-when-full", 3).catch(String);
    expect(refused).toContain("503");
    expect(refused).toContain("the database is full, so nothing was changed");
    // Nothing of it is half done, and what was there is served and synced on.
    expect(await hasReady(server.url, adminToken, 2)).toBe(true);
    await agent.sync();
    rmSync(filler);
    await apply(server.url, adminToken, "key-when-full", 3);
    await settle("scaled", () => hasReady(server.url, adminToken, 3), agent);
    const copy = await bench.copy(null);
    cpSync(server.seenAt(dataDir), serverFiles(copy).dataDir, { recursive: true });
    expect((await databaseFacts(serverFiles(copy).dataDir)).requests).toContain("key-when-full");
  } finally {
    agent.close();
    await server.kill();
  }
});

test("a folder that cannot be written is said at the start", async () => {
  const folder = await bench.copy(stage.folder);
  const mounts = 'mount -t tmpfs tmpfs "$DATA"\nmount -o remount,ro "$DATA"';
  await expect(CrashServer.start(folder, bench.codeCache, { mounts })).rejects.toThrow(
    /The data folder \S+ cannot be used \(EROFS.*Give a folder that this user may write with --data-dir/s,
  );
});

test("a lock of another process is waited for", async () => {
  const folder = await bench.copy(stage.folder);
  const { adminToken } = stage.world;
  const server = await CrashServer.start(folder, bench.codeCache);
  const other = connectTo(folder);
  try {
    const lock = await other.transaction("write");
    let isAnswered = false;
    const applied = apply(server.url, adminToken, "key-when-locked", 2).finally(() => {
      isAnswered = true;
    });
    // Far longer than a commit, and far shorter than the server's patience. Reads go on meanwhile.
    for (let i = 0; i < 20; i += 1) expect(await hasReady(server.url, adminToken, 2)).toBe(true);
    expect(isAnswered).toBe(false);
    await lock.rollback();
    expect(await applied).toMatchObject({ action: "none" });
  } finally {
    other.close();
    await server.kill();
  }
});

test("a lock that stays is told to whoever waits, with nothing done, and the same request succeeds after it", async () => {
  const folder = await bench.copy(stage.folder);
  const { adminToken } = stage.world;
  const server = await CrashServer.start(folder, bench.codeCache);
  const agent = agentOf(stage);
  const other = connectTo(folder);
  try {
    await agent.connect(server.url);
    await agent.sync();
    const lock = await other.transaction("write");
    const refused = await apply(server.url, adminToken, "key-when-locked", 3).catch(String);
    expect(refused).toContain("503");
    expect(refused).toContain("another process keeps the database locked, so nothing was changed");
    await lock.rollback();
    expect(await databaseFacts(serverFiles(folder).dataDir)).toEqual(facts);
    await apply(server.url, adminToken, "key-when-locked", 3);
    await settle("scaled", () => hasReady(server.url, adminToken, 3), agent);
  } finally {
    agent.close();
    other.close();
    await server.kill();
  }
});

function connectTo(folder: string): Client {
  return createClient({ url: pathToFileURL(join(serverFiles(folder).dataDir, "headrace.db")).href, concurrency: 1 });
}

/** Writes until there is no room left. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const bytes of [64 * 1_024, 512, 1]) {
      for (;;) {
        try {
          writeSync(file, Buffer.alloc(bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          break;
        }
      }
    }
  } finally {
    closeSync(file);
  }
}
