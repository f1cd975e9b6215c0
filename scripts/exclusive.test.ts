import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runExclusive } from "./exclusive.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-exclusive-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lock = () => join(folder, "lock");

it("answers with the exit status of the command", async () => {
  expect(await runExclusive(lock(), "", ["sh", "-c", "exit 3"])).toBe(3);
  expect(await runExclusive(lock(), "", ["true"])).toBe(0);
});

it("runs one command at a time", async () => {
  const log = join(folder, "log");
  const command = ["sh", "-c", `echo start >>${log}; sleep 0.05; echo end >>${log}`];
  const waiting = "one of the tests of the lock waits, as it should";
  await Promise.all([1, 2, 3].map(() => runExclusive(lock(), waiting, command)));
  expect(readFileSync(log, "utf8")).toBe("start\nend\n".repeat(3));
});

it("is free again when its holder was killed", async () => {
  const holder = spawn("flock", [lock(), "sh", "-c", "echo held; exec sleep 60"], { detached: true });
  await once(holder.stdout, "data");
  process.kill(-(holder.pid as number), "SIGKILL");
  expect(await runExclusive(lock(), "", ["true"])).toBe(0);
});
