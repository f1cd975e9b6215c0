import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";

/** What the child ends with once it has come to its own end. */
const DONE = 7;

/** A process that logs a line, and, once its standard input has ended, does what is given. */
function logger(then: string, stderr: number | "pipe") {
  const script = `
    import { setTimeout as delay } from "node:timers/promises";
    import { writeLogLine } from ${JSON.stringify(new URL("stderr.ts", import.meta.url).href)};
    writeLogLine("first\\n");
    for await (const _ of process.stdin);
    ${then}
    process.exit(${DONE});`;
  const args = ["--input-type=module", "--eval", script];
  return spawn(process.execPath, args, { stdio: ["pipe", "ignore", stderr] });
}

const THREE_LINES = `for (let i = 0; i < 3; i += 1) { writeLogLine("more\\n"); await delay(1); }`;

test("a program goes on when the reader of its log is gone", async () => {
  const child = logger(THREE_LINES, "pipe");
  await once(child.stderr!, "data");
  child.stderr!.destroy();
  await once(child.stderr!, "close");
  child.stdin!.end();
  expect(await once(child, "exit")).toEqual([DONE, null]);
});

test("a program goes on when the disk of its log is full", async () => {
  const full = openSync("/dev/full", "w");
  const child = logger(THREE_LINES, full);
  closeSync(full);
  child.stdin!.end();
  expect(await once(child, "exit")).toEqual([DONE, null]);
});

test("a program goes on when its log is not read, and keeps a bounded part of it", async () => {
  const line = "x".repeat(64 * 1024);
  const flood = `
    for (let i = 0; i < 100; i += 1) writeLogLine("${line}\\n");
    if (process.stderr.writableLength > 2 * 1024 * 1024) process.exit(1);`;
  const child = logger(flood, "pipe");
  child.stdin!.end();
  expect(await once(child, "exit")).toEqual([DONE, null]);
});
