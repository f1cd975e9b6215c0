import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensurePython } from "../../scripts/python.ts";
import { runInNamespaces } from "../support/in-namespaces.ts";
import type { ClusterResult } from "./namespaces/cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "headrace-cluster-"));
let result: ClusterResult;

beforeAll(async () => {
  const { bin } = await ensurePython();
  result = runInNamespaces<ClusterResult>("test/e2e/namespaces/cluster.ts", [folder, bin], 110_000);
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
