import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../src/node/database.ts";
import { createStore } from "../../src/store/libsql.ts";
import type { CommitRow, Store } from "../../src/store/types.ts";
import { fleet } from "./store-samples.ts";

const LOOP = fileURLToPath(new URL("commit-loop.ts", import.meta.url));

let folder: string;
let store: Store;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-kill-"));
  store = createStore(await openDatabase(folder));
  await store.createProject("main", 1, [fleet("default")]);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await store.close();
  await rm(folder, { recursive: true });
});

test("kill -9 of processes that commit at once loses nothing acknowledged and leaves no half commit", async () => {
  const acknowledged: string[] = [];
  // Each round opens the files that the round before was killed over.
  for (const [round, enough] of [25, 60, 110].entries()) {
    acknowledged.push(...(await commitUntilKilled([`r${round}a`, `r${round}b`, `r${round}c`], enough)));

    const rows = await wholeJournal();
    expect(rows.map((row) => row.version)).toEqual(rows.map((_, index) => index + 1));
    const consumed = rows.flatMap((row) => row.inputs);
    expect(new Set(consumed).size).toBe(consumed.length);
    expect(consumed).toEqual(expect.arrayContaining(acknowledged));

    const { version, entities } = (await store.load("main"))!;
    expect(version).toBe(rows.length);
    const halves = consumed.flatMap((id) => [`${id}-left`, `${id}-right`]);
    expect(entities.map((entity) => entity.id).toSorted()).toEqual([...halves, "default"].toSorted());
    expect(await store.secrets("main", consumed)).toHaveLength(consumed.length);
    for (const id of consumed) expect(await store.idempotency("main", id)).not.toBeNull();
  }
});

/** Runs writers side by side until together they acknowledged `enough` commits and each of them one; gives what they acknowledged. */
async function commitUntilKilled(writers: string[], enough: number): Promise<string[]> {
  const acknowledged: string[] = [];
  const heard = new Set<string>();
  const running = writers.map((writer) => {
    const child = spawn(process.execPath, [LOOP, folder, writer], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    createInterface({ input: child.stdout }).on("line", (line) => {
      acknowledged.push(line);
      heard.add(writer);
      // All of them must get through, or a writer that starves behind the others would go unseen.
      if (acknowledged.length >= enough && heard.size === writers.length)
        for (const each of children) each.kill("SIGKILL");
    });
    return once(child, "close");
  });
  const ends = await Promise.all(running);
  children.length = 0;
  // A writer that failed by itself would end with a code, and would have tested nothing.
  expect(ends).toEqual(writers.map(() => [null, "SIGKILL"]));
  return acknowledged;
}

async function wholeJournal(): Promise<CommitRow[]> {
  const rows: CommitRow[] = [];
  for (;;) {
    const page = await store.journal("main", rows.at(-1)?.version ?? 0, 1_000);
    if (page.rows.length === 0) return rows;
    rows.push(...page.rows);
  }
}
