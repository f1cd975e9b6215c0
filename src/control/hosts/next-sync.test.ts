import { expect, test } from "vitest";
import { nextSyncMs } from "./next-sync.ts";

test("a host comes back soon where it runs something, and sooner where nobody can tell it of a change", () => {
  expect([nextSyncMs(true, 1, 0), nextSyncMs(true, 0, 0)]).toEqual([10_000, 120_000]);
  expect([nextSyncMs(false, 1, 0), nextSyncMs(false, 0, 0)]).toEqual([2_000, 10_000]);
});

test("the longer its report had to wait, the later it comes back, within bounds", () => {
  expect([nextSyncMs(false, 1, 400), nextSyncMs(false, 1, 3_000), nextSyncMs(false, 1, 60_000)]).toEqual([
    2_000, 12_000, 20_000,
  ]);
  expect([nextSyncMs(true, 1, 4_000), nextSyncMs(true, 1, 60_000)]).toEqual([16_000, 60_000]);
  expect(nextSyncMs(true, 0, 60_000)).toBe(120_000);
});

test("five thousand hosts without a link find a server that reads three hundred reports a second in time", () => {
  // It settles where as many come as are read, each having been away and having waited.
  let waitedMs = 0;
  while ((nextSyncMs(false, 1, waitedMs) + waitedMs) * 0.3 < 5_000) waitedMs += 10;
  expect(waitedMs).toBeLessThan(5_000);
});
