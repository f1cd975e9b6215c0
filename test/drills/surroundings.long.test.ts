import { expect, test } from "vitest";
import { expectNoneFailed, expectServing, expectTimes, expectWhole } from "./expect.ts";
import { runDrill } from "./run.ts";

test("an agent whose disk is full keeps its jobs, says what it cannot do, and does it when there is room", async () => {
  const found = await runDrill("agent-disk");
  for (const way of [found.proxy, found.direct]) {
    expectNoneFailed(way.underWay);
    expectNoneFailed(way.window);
    expectServing(way.after);
  }
  expect(found.seen.said).toMatch(/no space left/i);
  expect(found.seen.after).toEqual(found.seen.others);
  expectTimes(found);
});

test("a control plane whose disk is full serves on, refuses changes with the reason, and takes them when there is room", async () => {
  const found = await runDrill("server-disk");
  for (const way of [found.proxy, found.direct]) {
    expectNoneFailed(way.underWay);
    expectNoneFailed(way.window);
    expectServing(way.after);
  }
  expect(found.seen.refused).toMatch(/full/);
  expect(found.seen.wantedDuring).toBe(2);
  expect(found.seen.gapless).toBe(true);
  expect(found.seen.after).toEqual(found.seen.others);
  expectTimes(found);
});

test.each(["agent-clock", "server-clock"] as const)("%s: an hour off, either way, changes nothing", async (name) => {
  const found = await runDrill(name);
  for (const way of [found.proxy, found.direct]) {
    expectWhole(way.underWay);
    // The two workers that are killed on purpose cut what they write; nothing is refused or hangs.
    expectNoneFailed(way.after);
  }
  expect(found.seen.upsets).toEqual([]);
  expect(found.seen.after).toEqual(found.seen.others);
  expectTimes(found);
});
