import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Installation } from "./installation.ts";
import { Updater } from "./updater.ts";

// Killed at any point, an update leaves a host whose files name one whole build. What a killed process does no more is
// not done here either: the nth change of the file system never comes about, and nothing after it.

const OLD = "a".repeat(64);
const PROGRAMS = ["agent.cjs", "supervisor.cjs"];
const CHANGES = ["rename", "rm", "mkdir", "writeFile", "open"] as const;
const real = Object.fromEntries(CHANGES.map((name) => [name, fs[name]]));

let dir: string;
let server: Server;
let archive: Buffer;
let NEW: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "headrace-killed-"));
  for (const name of PROGRAMS) writeFileSync(join(dir, name), `// new ${name}`);
  archive = Buffer.concat(await create({ cwd: dir, gzip: true }, PROGRAMS).collect());
  NEW = createHash("sha256").update(archive).digest("hex");
  server = createServer((_, response) => response.end(archive));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterEach(() => {
  live();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** As the installation's script leaves it. */
function reset(): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "agent", OLD), { recursive: true });
  for (const name of PROGRAMS) writeFileSync(join(dir, "agent", OLD, name), `// old ${name}`);
  writeFileSync(join(dir, "build"), `${OLD}\n`);
}

/** Lets so many changes come about. @returns resolves when there would be another */
function dieAfter(changes: number): Promise<"killed"> {
  let left = changes;
  return new Promise((killed) => {
    for (const name of CHANGES) {
      const does = real[name] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(fs, {
        [name]: (...args: unknown[]) => {
          left -= 1;
          if (left >= 0) return does(...args);
          killed("killed");
          return new Promise(() => {});
        },
      });
    }
    syncBuiltinESMExports();
  });
}

function live(): void {
  Object.assign(fs, real);
  syncBuiltinESMExports();
}

async function take(build: string): Promise<Installation> {
  const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { HEADRACE_INSTALL_DIR: dir, HEADRACE_INSTALL_FROM: from, HEADRACE_AGENT_BUILD: build };
  return (await Installation.take(env))!;
}

/** From the order to the agent's end. */
async function update(): Promise<"done"> {
  const installation = await take(OLD);
  await new Promise<void>((end, fail) => {
    const changed = () => fail(new Error(installation.state.failed?.reason));
    new Updater({ installation, end, changed, log: () => undefined }).told({ build: NEW, order: 12, from: null });
  });
  return "done";
}

/** The first accepted report of the new one. */
async function confirm(): Promise<"done"> {
  await (await take(NEW)).confirm();
  return "done";
}

const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8").trim() : null);

function expectWhole(build: string, when: string): void {
  const word = build === OLD ? "old" : "new";
  for (const name of PROGRAMS) expect(read(join("agent", build, name)), when).toBe(`// ${word} ${name}`);
}

test.each([
  { stage: "update", run: update, before: async () => {}, changesMin: 10 },
  { stage: "confirm", run: confirm, before: async () => void (await update()), changesMin: 6 },
])(
  "killed at any point of its $stage, it starts as one whole build, and can be updated from there",
  async ({ run, before, changesMin }) => {
    for (let changes = 0; ; changes += 1) {
      const when = `after ${changes} changes`;
      reset();
      await before();
      const killed = dieAfter(changes);
      const end = await Promise.race([killed, run()]);
      live();
      const [build, trial] = [read("build")!, read("trial")?.split(" ")[0]];
      expectWhole(build, when);
      if (trial !== undefined) expectWhole(trial, when);
      if (build === OLD) await update();
      await confirm();
      expect([read("build"), read("trial"), read("failed")], when).toEqual([NEW, null, null]);
      expectWhole(NEW, when);
      if (end === "done") {
        expect(changes).toBeGreaterThan(changesMin);
        return;
      }
    }
  },
);
