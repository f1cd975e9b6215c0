import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { createClient } from "../../src/api/client.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { createLocalToken, startServer } from "../../src/node.ts";
import { createStore } from "../../src/store/libsql.ts";
import { remoteClient } from "../../src/store/remote.ts";

const TOKEN = "database-token";

let folder: string;
let server: LibsqlServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-remote-"));
  server = await LibsqlServer.start(join(folder, "server.db"), TOKEN);
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The tables are there, and a project can be made in them. */
async function expectReady(project: string): Promise<void> {
  const store = createStore(remoteClient(server.url, TOKEN));
  expect(await store.createProject(project, 1, [])).toBe("created");
  await store.close();
}

describe("migrating a remote database", () => {
  test("makes the tables, and where they are up to date only looks", async () => {
    (await migrateRemote(server.url, TOKEN)).close();
    await expectReady("main");
    const before = server.bodies.length;
    (await migrateRemote(server.url, TOKEN)).close();
    expect(server.bodies.length - before).toBe(2);
  });

  test("is done once by several that start at the same time", async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => migrateRemote(server.url, TOKEN)));
    for (const client of clients) client.close();
    const client = remoteClient(server.url, TOKEN);
    const applied = await client.execute(
      "SELECT count(*) AS n, count(DISTINCT hash) AS kinds FROM __drizzle_migrations",
    );
    expect(applied.rows[0]?.n).toBe(applied.rows[0]?.kinds);
    client.close();
    await expectReady("main");
  });

  test("waits for a lock", async () => {
    server.fail("busy", Promise.resolve(), "busy", Promise.resolve(), Promise.resolve(), Promise.resolve(), "busy");
    (await migrateRemote(server.url, TOKEN)).close();
    await expectReady("main");
  });

  test("whose answer was lost has been done", async () => {
    // A look at what is there, drizzle's own table and what it says, and then the migrations themselves.
    server.fail(...[1, 2, 3].map(() => Promise.resolve()), "unanswered");
    (await migrateRemote(server.url, TOKEN)).close();
    await expectReady("main");
  });
});

describe("a remote database that cannot be used is told with what to do", () => {
  test("for another token", async () => {
    await expect(migrateRemote(server.url, "wrong")).rejects.toMatchObject({
      name: "StartError",
      message: `The database ${server.url} does not accept the token (401). Give one that may write in HEADRACE_DATABASE_TOKEN.`,
    });
  });

  test("for an address where nothing answers", async () => {
    const { url } = server;
    await server.close();
    await expect(migrateRemote(url, TOKEN)).rejects.toThrowError(
      /^The database http:\/\/127\.0\.0\.1:\d+ cannot be used: fetch failed \(.+\)\. Is the address right/,
    );
    server = await LibsqlServer.start(join(folder, "server.db"), TOKEN);
  });

  test("for a database of another program, which is left as it was", async () => {
    const client = remoteClient(server.url, TOKEN);
    await client.execute("CREATE TABLE recipes (name TEXT)");
    await expect(migrateRemote(server.url, TOKEN)).rejects.toThrowError(
      'is a database of another program (it has a table "recipes"). Give another database with HEADRACE_DATABASE_URL.',
    );
    const tables = await client.execute("SELECT name FROM sqlite_master");
    expect(tables.rows.map((row) => row.name)).toEqual(["recipes"]);
    client.close();
  });

  test.each(["file:state.db", "headrace.turso.io", "ws://127.0.0.1:1", "libsql:", ""])(
    "for the address %j",
    async (url) => {
      await expect(migrateRemote(url, null)).rejects.toThrowError("must be like libsql://name.example.com");
    },
  );

  test.each(["libsql://a.example?authToken=secret-1", "https://u:secret-1@a.example", "https://secret-1@a.example"])(
    "for a token in the address, which is not repeated",
    async (url) => {
      const refused: Error = await migrateRemote(url, null).then(
        () => expect.unreachable(),
        (error) => error,
      );
      expect(refused.message).toContain("HEADRACE_DATABASE_TOKEN");
      expect(`${refused.stack}`).not.toContain("secret-1");
    },
  );
});

describe("a server on a remote database", () => {
  beforeEach(() => {
    vi.stubEnv("HOME", folder);
    vi.stubEnv("HEADRACE_DATABASE_URL", server.url);
    vi.stubEnv("HEADRACE_DATABASE_TOKEN", TOKEN);
  });
  afterEach(() => vi.unstubAllEnvs());

  test("keeps everything there, so that another one goes on where it was", async () => {
    const logged: unknown[] = [];
    const first = await startServer({ port: 0 }, (...line) => logged.push(line));
    const token = first.firstStart?.adminToken ?? "";
    const config = "type: service\nname: web\nport: 8000\ncommands: [python3 -m http.server 8000]\nenv: [GREETING]\n";
    const client = createClient({ server: first.url, token, project: "main" });
    const applied = await client.apply({ config, file: "web.yml", env: { GREETING: "hello" } });
    await first.close();

    const second = await startServer({ port: 0, databaseUrl: server.url }, (...line) => logged.push(line));
    expect(second.firstStart).toBeNull();
    const after = createClient({ server: second.url, token, project: "main" });
    expect(await after.service("web")).toMatchObject({ revision: applied.revision, status: "running" });
    const local = await createLocalToken(null, "made on the server");
    expect(await createClient({ server: second.url, token: local.token, project: "main" }).services()).toHaveLength(1);
    await second.close();

    expect(JSON.stringify(logged)).not.toContain(TOKEN);
    // Its key is here, its state is not.
    expect((await readdir(folder, { recursive: true })).filter((file) => file.endsWith("headrace.db"))).toEqual([]);
  });
});
