import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeJobFolder } from "./job-storage.ts";

const IDS = { job: "job-1", replica: "web-1" };

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "storage-"));
  mkdirSync(join(dataDir, "jobs"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("nobody else enters a job's folder before it is whole", async () => {
  const user = { name: "me", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const seen: number[] = [];
  await makeJobFolder(dataDir, IDS, user, async (making) => {
    seen.push(modeOf(making));
  });
  expect(seen).toEqual([0o700]);
  expect(modeOf(join(dataDir, "jobs/job-1"))).toBe(0o711);
});

test("of a folder that cannot be filled nothing stays", async () => {
  const filled = makeJobFolder(dataDir, IDS, null, async (making) => {
    mkdirSync(join(making, "work/half"));
    throw new Error("the server is away");
  });
  await expect(filled).rejects.toThrow("the server is away");
  expect(existsSync(join(dataDir, "jobs/job-1"))).toBe(false);
  expect(readdirSync(join(dataDir, "jobs"))).toEqual([]);
});
