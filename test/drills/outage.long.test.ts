import { expect, test } from "vitest";
import { expectNoneFailed, expectServing, expectTimes, expectWhole } from "./expect.ts";
import { runDrill } from "./run.ts";

test("two minutes without control plane: nothing stops, what crashes is restarted, and on its return nothing is moved", async () => {
  const found = await runDrill("outage");
  const { seen, direct, proxy } = found;
  expectWhole(direct.underWay);
  // What the crashed worker was writing breaks off; no request is refused, and nobody else's stream is cut.
  expectNoneFailed(direct.window);
  expect(seen.cutAtOthers).toBe(0);
  expectServing(direct.after);
  expectServing(proxy.after);
  expect(seen.unlisted).toEqual([]);
  expect(seen.othersAfter).toEqual(seen.others);
  expect(seen.victim).toMatchObject({ attempt: 1 });
  expect(seen.victimAfter).toEqual({ ...(seen.victim as object), attempt: 2, pids: expect.any(Array) });
  expect(seen.historyKept).toBe(true);
  expect(seen.events).toEqual([]);
  expectTimes(found);
});
