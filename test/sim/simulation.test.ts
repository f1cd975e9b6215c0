import { describe, expect, test } from "vitest";
import { notReached } from "./expected.ts";
import { REGRESSIONS } from "./regressions.ts";
import { describe as inWords, runSeeds } from "./run.ts";
import { simulate } from "./simulate.ts";

/** Enough for every fault and nearly every edge to come up several times; about a minute on a small machine. */
const SEEDS = 120;

describe("the simulation", () => {
  test("a system that nothing befalls does what it is asked", async () => {
    const { broken } = await runSeeds([1, 2, 3, 4, 5], undefined, { faults: false });
    expect(broken.map(({ seed, broken }) => ({ seed, ...broken }))).toEqual([]);
  });

  test("the same seed gives the same history", async () => {
    for (const seed of [1, 2, 3]) expect((await simulate(seed)).hash).toBe((await simulate(seed)).hash);
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  });

  test.each(REGRESSIONS)("seed $seed holds: $found", async ({ seed }) => {
    expect((await simulate(seed)).broken).toBeNull();
  });

  test("every rule holds whatever befalls, all is well when it ends, and everything came up", async () => {
    const summary = await runSeeds(Array.from({ length: SEEDS }, (_, index) => 1_000 + index));
    process.stdout.write(`${inWords(summary)}\n`);
    expect(summary.broken.map(({ seed, broken }) => ({ seed, ...broken }))).toEqual([]);
    expect(notReached(summary.coverage, { isLong: false })).toEqual([]);
  });
});
