import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { ensurePython } from "../../scripts/python.ts";
import type { ClusterResult } from "./namespaces/cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "headrace-cluster-"));
let result: ClusterResult;

beforeAll(async () => {
  const { bin } = await ensurePython();
  // Root makes the namespaces itself; anyone else is root in a user namespace of their own.
  const unshare = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  if (process.getuid?.() !== 0) unshare.unshift("--user", "--map-root-user");
  const cluster = join(ROOT, "test/e2e/namespaces/cluster.ts");
  const done = spawnSync("unshare", [...unshare, process.execPath, cluster, folder, bin], {
    encoding: "utf8",
    timeout: 110_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (done.error || done.status !== 0)
    throw new Error(`the cluster failed: ${done.error ?? ""}\n${done.stdout}\n${done.stderr}`);
  result = JSON.parse(done.stdout.trim().split("\n").at(-1) ?? "") as ClusterResult;
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("pd-smg.yml, unchanged, becomes ready on three hosts that only dial out", () => {
  expect(result.apply.code, result.apply.output).toBe(0);
  expect(result.apply.output).not.toContain("hf-secret-value");
  expect(result.hosts.map((host) => host.address)).toEqual(["10.213.77.11", "10.213.77.12", "10.213.77.13"]);
  expect(result.hosts.map((host) => host.jobs)).toEqual([1, 1, 1]);
});

test("it answers chat completions, streamed and not, to those with a token", () => {
  expect(result.wrongToken).toBe(401);
  expect(result.answer).toMatchObject({ status: 200, whole: true });
  expect(result.answer.text.length).toBeGreaterThan(0);
  expect(result.stream).toMatchObject({ status: 200, whole: true });
  expect(result.stream.chunks).toBeGreaterThan(1);
});

test("each request went to one prefill and one decode, by their own records", () => {
  const of = (group: string) =>
    Object.entries(result.records).filter(([replica]) => replica.startsWith(`prefill-decode-${group}-`));
  const rooms = (group: string) =>
    of(group)
      .flatMap(([, lines]) => lines.map((line) => line.room))
      .filter((room) => room !== null && room !== "0");
  expect(of("1").flatMap(([, lines]) => lines.map((line) => line.role))).toEqual(expect.arrayContaining(["prefill"]));
  expect(of("2").flatMap(([, lines]) => lines.map((line) => line.role))).toEqual(expect.arrayContaining(["decode"]));
  expect(rooms("1")).toHaveLength(2);
  expect([...rooms("1")].sort()).toEqual([...rooms("2")].sort());
});

test("stop leaves no process and no file of a job behind", () => {
  expect(result.stop.code, result.stop.output).toBe(0);
  expect(result.leftOver).toEqual([]);
});
