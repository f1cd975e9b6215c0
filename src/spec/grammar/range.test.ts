import { describe, expect, test } from "vitest";
import { readCount } from "./count.ts";
import { readMemory } from "./memory.ts";
import { readRange } from "./range.ts";

describe("a range of memory", () => {
  test.each([
    [80, { min: 80, max: 80 }],
    ["80GB", { min: 80, max: 80 }],
    ["80", { min: 80, max: 80 }],
    ["24GB..", { min: 24, max: null }],
    ["..80GB", { min: 0, max: 80 }],
    ["40GB..80GB", { min: 40, max: 80 }],
    ["40..80GB", { min: 40, max: 80 }],
    [" 40 GB .. 80 GB ", { min: 40, max: 80 }],
    ["80GB..80GB", { min: 80, max: 80 }],
  ])("%j", (written, range) => {
    expect(readRange(written, readMemory)).toEqual({ ok: true, value: range });
  });

  test.each([
    ["..", "no end at all"],
    ["80GB..40GB", "below its start"],
    ["1..2..3", "more than one"],
    ["1...2", "not an amount"],
    ["a..2GB", "not an amount"],
    ["1GB..b", "not an amount"],
  ])("%j is refused: %s", (written, words) => {
    expect(readRange(written, readMemory)).toMatchObject({ ok: false, problem: expect.stringContaining(words) });
  });
});

describe("an amount of memory", () => {
  test.each([
    [0.5, 0.5],
    ["512MB", 0.5],
    ["512 mb", 0.5],
    ["1.5TB", 1536],
    ["16gb", 16],
    ["0", 0],
  ])("%j is %d GiB", (written, gib) => {
    expect(readMemory(written)).toEqual({ ok: true, value: gib });
  });

  test.each(["80GiB", "512K", "512KB", "GB", "", "-1GB", "1,5GB", "80G", "1e3"])("%j is refused", (written) => {
    expect(readMemory(written).ok).toBe(false);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("the number %d is refused", (written) => {
    expect(readMemory(written).ok).toBe(false);
  });
});

describe("a count of replicas", () => {
  test.each([
    [0, { min: 0, max: 0 }],
    [2, { min: 2, max: 2 }],
    ["2", { min: 2, max: 2 }],
    ["1..4", { min: 1, max: 4 }],
    ["..4", { min: 0, max: 4 }],
  ])("%j", (written, count) => {
    expect(readCount(written)).toEqual({ ok: true, value: count });
  });

  test.each([
    ["2..", "no upper end"],
    ["4..1", "below its start"],
    ["1.5", "not a whole number"],
    ["-1", "out of bounds"],
    ["10001", "out of bounds"],
    ["many", "not a whole number"],
  ])("%j is refused: %s", (written, words) => {
    expect(readCount(written)).toMatchObject({ ok: false, problem: expect.stringContaining(words) });
  });
});
