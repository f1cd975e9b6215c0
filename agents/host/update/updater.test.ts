import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Installation } from "./installation.ts";
import { Updater } from "./updater.ts";

const OLD = "a".repeat(64);

let dir: string;
let server: Server;
/** What the server gives out, by path. */
const served = new Map<string, Buffer>();
const asked: string[] = [];
let from: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "headrace-update-"));
  addBuild(OLD);
  put("build", OLD);
  served.clear();
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const content = served.get(request.url ?? "");
    response.statusCode = content === undefined ? 404 : 200;
    response.end(content);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  from = `http://127.0.0.1:${(server.address() as AddressInfo).port}/install`;
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const put = (name: string, text: string) => writeFileSync(join(dir, name), `${text}\n`);
const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8").trim() : null);
const builds = () => readdirSync(join(dir, "agent")).sort();

function addBuild(build: string): void {
  mkdirSync(join(dir, "agent", build), { recursive: true });
  writeFileSync(join(dir, "agent", build, "agent.cjs"), "");
}

/** Gives out a build. @returns its name */
async function serve(files: Record<string, string> = { "agent.cjs": "// new", "supervisor.cjs": "" }): Promise<string> {
  const folder = mkdtempSync(join(dir, "pack-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const archive = Buffer.concat(await create({ cwd: folder, gzip: true }, Object.keys(files)).collect());
  rmSync(folder, { recursive: true });
  const build = createHash("sha256").update(archive).digest("hex");
  served.set(`/install/${build}.tar.gz`, archive);
  return build;
}

async function installation(build = OLD): Promise<Installation> {
  const env = { HEADRACE_INSTALL_DIR: dir, HEADRACE_INSTALL_FROM: from, HEADRACE_AGENT_BUILD: build };
  return (await Installation.take(env))!;
}

/** An agent that is told things, and what it did: `ended`, `changed`. */
async function agent(build = OLD) {
  const installed = await installation(build);
  const did: string[] = [];
  const happened = { wake: () => {} };
  const note = (what: string) => () => {
    did.push(what);
    happened.wake();
  };
  const updater = new Updater({
    installation: installed,
    end: note("ended"),
    changed: note("changed"),
    log: () => undefined,
    sleep: async () => undefined,
  });
  const next = () => new Promise<void>((resolve) => Object.assign(happened, { wake: resolve }));
  return { updater, did, next, installed };
}

describe("an agent that is told to be another build", () => {
  test("lays it beside itself, puts it on trial and ends, once", async () => {
    const build = await serve();
    const { updater, did, next } = await agent();
    const done = next();
    updater.told({ build, order: 12, from: null });
    updater.told({ build, order: 12, from: null });
    await done;
    expect(did).toEqual(["ended"]);
    expect(asked).toEqual([`/install/${build}.tar.gz`]);
    expect(read("trial")).toBe(`${build} 12 0`);
    expect(read("build")).toBe(OLD);
    expect(readFileSync(join(dir, "agent", build, "agent.cjs"), "utf8")).toBe("// new");
    expect(readdirSync(dir).sort()).toEqual(["agent", "build", "trial"]);
  });

  test("takes it from where it is told", async () => {
    const build = await serve();
    const { updater, next } = await agent();
    const done = next();
    updater.told({ build, order: 12, from: from.replace("install", "elsewhere") });
    await done;
    expect(asked[0]).toBe(`/elsewhere/${build}.tar.gz`);
  });

  test.each([
    ["is not there", () => served.clear(), /\.tar\.gz cannot be fetched: it answered 404$/],
    ["is another than its name says", (url: string) => served.set(url, Buffer.from("other")), /its SHA-256 differs$/],
  ])("goes on as it is where the build %s, and says why", async (_, spoil, reason) => {
    const build = await serve();
    spoil(`/install/${build}.tar.gz`);
    const { updater, did, next, installed } = await agent();
    const done = next();
    updater.told({ build, order: 12, from: null });
    await done;
    expect(did).toEqual(["changed"]);
    expect(asked).toHaveLength(3);
    expect(installed.state).toEqual({
      build: OLD,
      failed: { build, order: 12, reason: expect.stringMatching(reason) },
    });
    expect(builds()).toEqual([OLD]);
    // Neither this agent nor the next one tries the same order again; another order is another matter.
    updater.told({ build, order: 12, from: null });
    const later = await agent();
    later.updater.told({ build, order: 12, from: null });
    await Promise.all([updater.close(), later.updater.close()]);
    expect(asked).toHaveLength(3);
    expect(later.installed.state.failed?.order).toBe(12);
    const third = await agent();
    third.updater.told({ build, order: 13, from: null });
    await third.next();
    expect(asked).toHaveLength(6);
  });

  test("does not take what lacks a program", async () => {
    const build = await serve({ "agent.cjs": "" });
    const { updater, next, installed } = await agent();
    const done = next();
    updater.told({ build, order: 12, from: null });
    await done;
    expect(installed.state.failed?.reason).toMatch(/lacks supervisor\.cjs$/);
  });

  test("is left alone with what it runs already", async () => {
    const { updater } = await agent();
    updater.told({ build: OLD, order: 12, from: null });
    await updater.close();
    expect(asked).toEqual([]);
  });
});

describe("a build on trial", () => {
  const [NEW, OTHER] = ["b".repeat(64), "c".repeat(64)] as [string, string];
  beforeEach(() => {
    for (const build of [NEW, OTHER]) addBuild(build);
    put("trial", `${NEW} 12 1`);
  });

  test("stays once a report of it was accepted, and of the others the one before does", async () => {
    put("failed", `${OTHER} 11 it ended`);
    const { updater, installed } = await agent(NEW);
    expect(builds()).toEqual([OLD, NEW]);
    addBuild(OTHER);
    await updater.accepted();
    expect(read("build")).toBe(NEW);
    expect(read("trial")).toBe(null);
    expect(installed.state).toEqual({ build: NEW, failed: null });
    expect(builds()).toEqual([OLD, NEW]);
  });

  test("is not made to stay by the agent that runs in its place", async () => {
    const { updater } = await agent(OLD);
    await updater.accepted();
    expect(read("build")).toBe(OLD);
    expect(read("trial")).toBe(`${NEW} 12 1`);
  });

  test("that did not show itself is told of by the one before, and taken off the disk", async () => {
    rmSync(join(dir, "trial"));
    put("failed", `${NEW} 12 it ended 3 times`);
    const { installed } = await agent();
    expect(installed.state.failed).toEqual({ build: NEW, order: 12, reason: "it ended 3 times" });
    expect(builds()).toEqual([OLD, OTHER]);
  });
});

test("an agent that was not installed, or may not write there, is not replaced; what it was told is told nobody else", async () => {
  const env: NodeJS.ProcessEnv = { HEADRACE_INSTALL_DIR: join(dir, "none"), HEADRACE_INSTALL_FROM: from, A: "b" };
  expect(await Installation.take({ ...env, HEADRACE_AGENT_BUILD: OLD })).toBe(null);
  expect(await Installation.take(env)).toBe(null);
  expect(env).toEqual({ A: "b" });
});
