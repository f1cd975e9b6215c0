import { expect, test } from "vitest";
import { readComputeCapability, readGpu } from "./gpu.ts";

const one = { min: 1, max: null };
const exactly = (n: number) => ({ min: n, max: n });

test.each([
  [8, { count: exactly(8) }],
  [0, { count: exactly(0) }],
  ["80", { count: exactly(80) }],
  ["1..8", { count: { min: 1, max: 8 } }],
  ["2..", { count: { min: 2, max: null } }],
  ["..2", { count: { min: 0, max: 2 } }],
  ["H100", { vendor: "nvidia", names: ["H100"], count: one }],
  ["H100:8", { vendor: "nvidia", names: ["H100"], count: exactly(8) }],
  ["8:H100", { vendor: "nvidia", names: ["H100"], count: exactly(8) }],
  ["24GB", { memory: exactly(24), count: one }],
  ["24GB..", { memory: { min: 24, max: null }, count: one }],
  ["..24GB", { memory: { min: 0, max: 24 }, count: one }],
  ["8GB..24GB:1", { memory: { min: 8, max: 24 }, count: exactly(1) }],
  ["nvidia:80GB:2..", { vendor: "nvidia", memory: exactly(80), count: { min: 2, max: null } }],
  ["A100,H100:80GB:4", { vendor: "nvidia", names: ["A100", "H100"], memory: exactly(80), count: exactly(4) }],
  ["A100, H100 : 80 GB", { vendor: "nvidia", names: ["A100", "H100"], memory: exactly(80), count: one }],
  ["AMD", { vendor: "amd", count: one }],
  ["MI300X:8", { vendor: "amd", names: ["MI300X"], count: exactly(8) }],
  ["gaudi2", { vendor: "intel", names: ["gaudi2"], count: one }],
  ["n300", { vendor: "tenstorrent", names: ["n300"], count: one }],
  ["tt:2", { vendor: "tenstorrent", count: exactly(2) }],
  ["tpu:v5litepod-8", { vendor: "google", names: ["v5litepod-8"], count: one }],
  ["v5litepod-8", { vendor: "google", names: ["v5litepod-8"], count: one }],
  ["tpu-v2-8", { vendor: "google", names: ["v2-8"], count: one }],
  ["H100,MI300X", { vendor: null, names: ["H100", "MI300X"], count: one }],
  ["NextBigThing", { vendor: null, names: ["NextBigThing"], count: one }],
  ["P100", { vendor: "nvidia", names: ["P100"], count: one }],
])("%j", (written, given) => {
  const nothing = { vendor: null, names: [], memory: null, totalMemory: null, computeCapability: null };
  expect(readGpu(written)).toEqual({ ok: true, value: { ...nothing, ...given } });
});

test.each([
  ["", "empty part"],
  ["H100:", "empty part"],
  ["A100,,H100", "empty name"],
  ["A100,", "empty name"],
  ["nvidia:amd", "a vendor twice"],
  ["H100:A100", "names twice"],
  ["1:2", "a count twice"],
  ["24GB:48GB", "memory twice"],
  ["nvidia,A100", "a vendor, not a name"],
  ["24GiB", "not an amount"],
  ["80GB..24GB", "below its start"],
  ["..", "no end"],
  ["-1", "out of bounds"],
  ["1.5", "not a whole number"],
  ["4096", "out of bounds"],
])("%j is refused: %s", (written, words) => {
  expect(readGpu(written)).toMatchObject({ ok: false, problem: expect.stringContaining(words) });
});

test.each([
  ["7.5", [7, 5]],
  [7.5, [7, 5]],
  [9, [9, 0]],
  ["9.0", [9, 0]],
  ["12.10", [12, 10]],
])("compute capability %j", (written, value) => {
  expect(readComputeCapability(written)).toEqual({ ok: true, value });
});

test.each(["sm90", "7.5.1", "", "-7.5"])("compute capability %j is refused", (written) => {
  expect(readComputeCapability(written).ok).toBe(false);
});
