import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { tokenHash } from "../control/tokens/tokens.ts";
import { deploy } from "../deploy.ts";
import { createStore } from "../store/libsql.ts";
import { remoteClient } from "../store/remote.ts";
import { STEPS } from "./steps.ts";
import type { World } from "./world.ts";

const DATABASE_TOKEN = "database-token-of-the-test";

let folder: string;
let database: LibsqlServer;
let worker: Server;
let kept: string[];
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-deploy-test-"));
  database = await LibsqlServer.start(join(folder, "db"), DATABASE_TOKEN);
  worker = createServer((request, response) => {
    response.writeHead(request.url === "/health" ? 200 : 401).end();
  });
  worker.listen(0, "127.0.0.1");
  await once(worker, "listening");
  kept = [];
  lines = [];
  await atCloudflare("address", address());
  await atCloudflare("whoami.json", '{"loggedIn": true, "accounts": [{"name": "mine", "id": "a"}]}');
  // Started as a program, which needs a mode that a checkout may not have.
  const source = join(import.meta.dirname, "testing/fake-wrangler.ts");
  await writeFile(join(folder, "wrangler"), `#!/bin/sh\nexec '${process.execPath}' '${source}' "$@"\n`);
  await chmod(join(folder, "wrangler"), 0o755);
});

afterEach(async () => {
  worker.close();
  worker.closeAllConnections();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const address = () => `http://127.0.0.1:${(worker.address() as AddressInfo).port}`;
const atCloudflare = (name: string, text: string) => writeFile(join(folder, name), text);
const calls = () =>
  readFileSync(join(folder, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { args: string[]; variables: NodeJS.ProcessEnv; secretsMode: number | null });
const given = () => JSON.parse(readFileSync(join(folder, "secrets.json"), "utf8")) as Record<string, string>;

function world(over: Partial<World> = {}): World {
  return {
    env: {
      PATH: process.env.PATH,
      TMPDIR: folder,
      FAKE_CLOUDFLARE: folder,
      HEADRACE_WRANGLER: join(folder, "wrangler"),
      HEADRACE_DATABASE_URL: database.url,
      HEADRACE_DATABASE_TOKEN: DATABASE_TOKEN,
      HEADRACE_KEY_FILE: join(folder, "key"),
    },
    home: folder,
    fetch,
    now: () => 1_700_000_000_000,
    sleep: async () => {},
    interrupted: new AbortController().signal,
    say: (line) => void lines.push(line),
    warn: () => {},
    keepToken: async (url, token) => void kept.push(`${url} ${token}`),
    ...over,
  };
}

/** What a deployment leaves: the admins of the database, whose tokens were kept, and the Worker's secrets. */
async function left() {
  const store = createStore(remoteClient(database.url, DATABASE_TOKEN));
  const admins = await store.credentials("main");
  await store.close();
  const [url, token] = (kept.at(-1) ?? "").split(" ");
  return {
    url,
    isKept: admins.map(({ hash }) => hash),
    keptHash: await tokenHash(token ?? ""),
    key: given().HEADRACE_KEY === readFileSync(join(folder, "key"), "utf8").trim(),
  };
}

test("a deployment: tables, secrets, first admin; and again, which changes nothing but the code", async () => {
  await deploy({}, world());
  const first = await left();
  expect(first).toMatchObject({ url: address(), isKept: [first.keptHash], key: true });
  expect(given()).toMatchObject({ HEADRACE_DATABASE_URL: database.url, HEADRACE_DATABASE_TOKEN: DATABASE_TOKEN });
  expect(lines).toContain(`Headrace serves at ${address()}`);
  await deploy({}, world());
  expect(kept).toHaveLength(1);
  expect(await left()).toEqual(first);
});

test("wrangler gets secrets by a file of its user's alone: none in arguments, environment, output, or left behind", async () => {
  await deploy(
    { name: "other", domain: "headrace.example.com" },
    world({ fetch: async () => new Response(null) }),
  ).catch(() => {});
  const [, deployment] = calls();
  expect(deployment?.args).toEqual(expect.arrayContaining(["--name", "other", "--domain", "headrace.example.com"]));
  expect(deployment?.secretsMode).toBe(0o600);
  const seen = JSON.stringify(calls().map(({ args, variables }) => [args, variables])) + lines.join("\n");
  for (const secret of [DATABASE_TOKEN, String(given().HEADRACE_KEY)]) expect(seen).not.toContain(secret);
  expect(Object.keys(deployment?.variables ?? {}).filter((name) => name.startsWith("HEADRACE_"))).toEqual([]);
  const secretsFile = deployment?.args.at((deployment?.args.indexOf("--secrets-file") ?? 0) + 1);
  expect(secretsFile).toMatch(/secrets\.json$/);
  expect(existsSync(String(secretsFile))).toBe(false);
});

describe("a crash", () => {
  test.each(Object.values(STEPS))("before the step of %s, and the command again: the same end", async (title) => {
    const say = (line: string) => {
      if (line.endsWith(title)) throw new Error("crash");
    };
    await expect(deploy({}, world({ say }))).rejects.toThrow("crash");
    await deploy({}, world());
    const end = await left();
    expect(end).toMatchObject({ url: address(), isKept: [end.keptHash], key: true });
  });

  test("between keeping the first token and storing its hash: the next one is kept in its place", async () => {
    const keepToken = async (url: string, token: string) => {
      kept.push(`${url} ${token}`);
      throw new Error("crash");
    };
    await expect(deploy({}, world({ keepToken }))).rejects.toThrow("crash");
    await deploy({}, world());
    const end = await left();
    expect(kept).toHaveLength(2);
    expect(end.isKept).toEqual([end.keptHash]);
  });
});

describe("what is in the way is said, with the step and what was done before it:", () => {
  const refused = (over: Partial<World> = {}, flags = {}) =>
    deploy(flags, world(over)).then(
      () => expect.unreachable(),
      (error: Error) => error.message,
    );

  test("nobody logged in; nothing was changed", async () => {
    await atCloudflare("whoami.json", '{"loggedIn": false}');
    const message = await refused();
    expect(message).toMatch(/^Step 2 of 6 failed .*\nNobody is logged in at Cloudflare\. Run `npx wrangler login`/);
    expect(calls().map(({ args }) => args[0])).toEqual(["whoami"]);
  });

  test("several accounts, and none named", async () => {
    const accounts = [
      { name: "one", id: "1".repeat(32) },
      { name: "two", id: "2".repeat(32) },
    ];
    await atCloudflare("whoami.json", JSON.stringify({ loggedIn: true, accounts }));
    expect(await refused()).toContain(`Give one of them with --account:\n  ${"1".repeat(32)}  one`);
    await deploy({ account: "2".repeat(32) }, world());
    expect(calls().at(-1)?.variables.CLOUDFLARE_ACCOUNT_ID).toBe("2".repeat(32));
  });

  test("a token that the database refuses", async () => {
    const env = { ...world().env, HEADRACE_DATABASE_TOKEN: "wrong" };
    expect(await refused({ env })).toMatch(/^Step 3 of 6 failed .*\nThe database .* does not accept the token \(401\)/);
  });

  test("a database that is not there", async () => {
    const env = { ...world().env, HEADRACE_DATABASE_URL: "http://127.0.0.1:1" };
    expect(await refused({ env })).toMatch(
      /^Step 3 of 6 failed .*\nThe database http:\/\/127\.0\.0\.1:1 cannot be used/,
    );
  });

  test("a plan that is not enough; what wrangler says is shown without secrets", async () => {
    await atCloudflare("refusal", "✘ [ERROR] A request to the Cloudflare API failed. too big [code: 10027]\n");
    const message = await refused();
    expect(message).toMatch(/^Step 4 of 6 failed .*\nThe account's plan is not enough/);
    expect(message).toContain("Done before it: the key that seals secrets; the account at Cloudflare; the tables");
    expect(message).not.toContain(DATABASE_TOKEN);
    expect(message).not.toContain(readFileSync(join(folder, "key"), "utf8").trim());
  });

  test("a Worker that does not reach its database", async () => {
    const fetch = async (url: string | URL | Request) =>
      new Response(null, { status: String(url).endsWith("health") ? 200 : 500 });
    expect(await refused({ fetch })).toMatch(
      /^Step 6 of 6 failed .*\nThe Worker serves, but not with its database .*answered 500/,
    );
  });

  test("another key than the one that sealed what the database holds", async () => {
    await deploy({}, world());
    const client = remoteClient(database.url, DATABASE_TOKEN);
    await client.execute(
      "INSERT INTO secrets (project, name, version, key_id, sealed) VALUES ('main', 'A', 'v', 'beef', 's')",
    );
    client.close();
    expect(await refused()).toMatch(
      /^Step 3 of 6 failed .*\nThe database holds secrets that were sealed with another key \(beef;/,
    );
  });
});

test("a dry run bundles the Worker with the real wrangler, and makes neither a key nor a table", async () => {
  const { HEADRACE_WRANGLER: _, ...env } = world().env;
  await deploy({ databaseUrl: "libsql://db.invalid", dryRun: true }, world({ env: { ...env, HOME: folder } }));
  const [, gzipKib] = /bundled: [\d.]+ KiB, ([\d.]+) KiB gzipped/.exec(lines.join("\n")) ?? [];
  expect(Number(gzipKib)).toBeGreaterThan(50);
  expect(Number(gzipKib)).toBeLessThan(1_024);
  expect(lines).toContain(`  would make ${join(folder, "key")}`);
  expect(existsSync(join(folder, "key"))).toBe(false);
  expect(lines.at(-1)).toBe("This was a dry run: nothing was changed.");
});
