import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createClient } from "@libsql/client";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStore } from "../store/libsql.ts";
import { openDatabase } from "./database.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "headrace-database-"));
  folder = join(root, "data");
});

afterEach(() => rm(root, { recursive: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("the embedded database", () => {
  test("is durable at every commit and checks references, on its one connection", async () => {
    const client = await openDatabase(folder);
    const read = async (pragma: string) => (await client.execute(`PRAGMA ${pragma}`)).rows[0]?.[0];
    expect(await read("journal_mode")).toBe("wal");
    expect(await read("synchronous")).toBe(2);
    expect(await read("foreign_keys")).toBe(1);
    client.close();
  });

  test("can be read by its owner alone, its log included", async () => {
    const client = await openDatabase(folder);
    expect(await modeOf(folder)).toBe(0o700);
    const files = await readdir(folder);
    expect(files.toSorted()).toEqual(["headrace.db", "headrace.db-shm", "headrace.db-wal"]);
    for (const file of files) expect(await modeOf(join(folder, file))).toBe(0o600);
    client.close();
    await chmod(join(folder, "headrace.db"), 0o644);
    (await openDatabase(folder)).close();
    expect(await modeOf(join(folder, "headrace.db"))).toBe(0o600);
  });

  test("opens again with what it held, in a folder of any name", async () => {
    const odd = join(root, "a #1?%41 ü");
    const store = createStore(await openDatabase(odd));
    await store.createProject("main", 1, []);
    await store.close();
    const again = createStore(await openDatabase(odd));
    expect(await again.load("main")).toMatchObject({ version: 1 });
    await again.close();
    expect(await readdir(root)).toEqual(["a #1?%41 ü"]);
  });

  test("takes over what an older Headrace kept: files whose bodies stood beside their marks", async () => {
    await mkdir(folder);
    const client = createClient({ url: pathToFileURL(join(folder, "headrace.db")).href });
    const older = readMigrationFiles({ migrationsFolder: MIGRATIONS }).slice(0, 2);
    await client.execute(
      "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric)",
    );
    for (const { sql, hash, folderMillis } of older) {
      await client.batch(sql, "write");
      const args = [hash, folderMillis];
      await client.execute({ sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)", args });
    }
    await client.execute("INSERT INTO projects (project, version, created_at) VALUES ('main', 1, 0)");
    await client.execute("INSERT INTO files VALUES ('main', 'abc', 3, x'010203', 7)");
    client.close();

    const store = createStore(await openDatabase(folder));
    expect(await store.file("main", "abc")).toEqual({ sha256: "abc", body: new Uint8Array([1, 2, 3]) });
    expect(await store.useFiles("main", ["abc"], 8)).toEqual([{ sha256: "abc", bytes: 3 }]);
    await store.trimFiles("main", 8);
    expect(await store.file("main", "abc")).not.toBeNull();
    await store.close();
  });

  test("opens for several at once, though only one makes the tables", async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => openDatabase(folder)));
    const store = createStore(clients[3]!);
    expect(await store.createProject("main", 1, [])).toBe("created");
    for (const client of clients) client.close();
  });
});

describe("what cannot be opened is said, with what to do", () => {
  test("a folder that is a file", async () => {
    await writeFile(folder, "");
    await expect(openDatabase(join(folder, "sub"))).rejects.toThrowError(
      /^The data folder .*\/sub cannot be used \(ENOTDIR.*\)\. Give a folder .* --data-dir or HEADRACE_DATA_DIR\.$/,
    );
  });

  test.skipIf(process.getuid?.() === 0)("a folder that may not be written (root may write any)", async () => {
    await mkdir(folder, { mode: 0o500 });
    await expect(openDatabase(folder)).rejects.toThrowError(/^The data folder .* cannot be used \(EACCES/);
  });

  test("a folder in the database's place", async () => {
    await mkdir(join(folder, "headrace.db"), { recursive: true });
    await expect(openDatabase(folder)).rejects.toThrowError(/^The database .*headrace\.db cannot be used \(EISDIR/);
  });

  test("a file that is not a database, which is left as it was", async () => {
    const file = join(folder, "headrace.db");
    const text = "not a database ".repeat(1_000);
    await mkdir(folder);
    await writeFile(file, text);
    await expect(openDatabase(folder)).rejects.toThrowError(`${file} is not a database. Move it away`);
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("a database of another program", async () => {
    await mkdir(folder);
    const other = createClient({ url: `file:${folder}/headrace.db` });
    await other.execute("CREATE TABLE recipes (name TEXT)");
    other.close();
    await expect(openDatabase(folder)).rejects.toThrowError('a database of another program (it has a table "recipes")');
  });

  test("a database of a newer Headrace", async () => {
    const client = await openDatabase(folder);
    const next = Date.UTC(2100, 0, 1);
    await client.execute({ sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', ?)", args: [next] });
    client.close();
    await expect(openDatabase(folder)).rejects.toThrowError(
      /was written by a newer Headrace \(its tables are of 2100-01-01T00:00:00\.000Z\)\. Start that version/,
    );
  });
});
