import { expect, test } from "vitest";
import { readCpu } from "./cpu.ts";

test.each([
  [4, { arch: null, count: { min: 4, max: 4 } }],
  ["4", { arch: null, count: { min: 4, max: 4 } }],
  ["4..", { arch: null, count: { min: 4, max: null } }],
  ["..8", { arch: null, count: { min: 0, max: 8 } }],
  ["arm", { arch: "arm", count: { min: 2, max: null } }],
  ["AArch64", { arch: "arm", count: { min: 2, max: null } }],
  ["amd64:2", { arch: "x86", count: { min: 2, max: 2 } }],
  ["x86_64", { arch: "x86", count: { min: 2, max: null } }],
  ["arm:4..8", { arch: "arm", count: { min: 4, max: 8 } }],
  ["4:arm", { arch: "arm", count: { min: 4, max: 4 } }],
  ["arm : 4", { arch: "arm", count: { min: 4, max: 4 } }],
])("%j", (written, cpu) => {
  expect(readCpu(written)).toEqual({ ok: true, value: cpu });
});

test.each([
  ["arm:x86", "two architectures"],
  ["4:8", "two counts"],
  ["arm:", "empty part"],
  ["", "empty part"],
  ["riscv", "not a whole number"],
  ["0.5", "not a whole number"],
  ["8..4", "below its start"],
  ["-2", "out of bounds"],
])("%j is refused: %s", (written, words) => {
  expect(readCpu(written)).toMatchObject({ ok: false, problem: expect.stringContaining(words) });
});
