import { expect, test } from "vitest";
import { expectNoneFailed, expectServing, expectTimes, expectWhole } from "./expect.ts";
import { runDrill } from "./run.ts";

test.each(["decode", "prefill"] as const)(
  "kill -9 of a %s fails no new request and is mended in place",
  async (name) => {
    const found = await runDrill(name);
    for (const way of [found.proxy, found.direct]) {
      // What the dead worker was writing cannot be saved; nobody else's stream breaks, and no request is refused.
      expectNoneFailed(way.underWay);
      expectNoneFailed(way.window);
      expectServing(way.after);
    }
    if (name === "decode") expect(found.seen.cutAtOthers).toBe(0);
    expect(found.seen.after).toEqual(found.seen.others);
    expectTimes(found);
  },
);

test.each(["only-decode", "only-prefill"] as const)(
  "kill -9 of the %s: requests are answered again soon after it is ready",
  async (name) => {
    const found = await runDrill(name);
    expectServing(found.proxy.after);
    expectServing(found.direct.after);
    expect(found.seen.after).toEqual(found.seen.others);
    expect(found.seen.refused).toEqual([]);
    expectTimes(found);
  },
);

test("kill -9 of the router: it is given its workers again, which went on meanwhile", async () => {
  const found = await runDrill("router");
  expectServing(found.proxy.after);
  expectServing(found.direct.after);
  expect(found.seen.after).toEqual(found.seen.others);
  expectTimes(found);
});

test("kill -9 of the agent of a worker's host cuts nothing and touches no job", async () => {
  const found = await runDrill("agent-of-workers");
  for (const way of [found.proxy, found.direct]) {
    expectWhole(way.underWay);
    expectWhole(way.window);
    expectServing(way.after);
  }
  expect(found.seen.after).toEqual(found.seen.before);
  expect(found.seen.bad).toEqual([]);
});

test("kill -9 of the agent of the router's host cuts what flows over its link and nothing else", async () => {
  const found = await runDrill("agent-of-router");
  // Streams over its link are cut; who comes while it has none waits for the next one.
  expectNoneFailed(found.proxy.window);
  expectWhole(found.direct.underWay);
  expectWhole(found.direct.window);
  expectServing(found.direct.after);
  expectServing(found.proxy.after);
  expect(found.seen.after).toEqual(found.seen.before);
  expect(found.seen.bad).toEqual([]);
});

test("kill -9 of the control plane loses no state, and only what flows through it is cut", async () => {
  const found = await runDrill("control-plane");
  expectWhole(found.direct.underWay);
  expectWhole(found.direct.window);
  expectServing(found.direct.after);
  expectServing(found.proxy.after);
  expect(found.seen.after).toEqual(found.seen.before);
  expect(found.seen.bad).toEqual([]);
  expect(found.seen.historyKept).toBe(true);
  expectTimes(found);
});

test("kill -9 of control plane, router and the router's agent at once: all is as before when they are back", async () => {
  const found = await runDrill("together");
  expectServing(found.direct.after);
  expectServing(found.proxy.after);
  expect(found.seen.after).toEqual(found.seen.others);
  expect(found.seen.bad).toEqual([]);
  expectTimes(found);
});
