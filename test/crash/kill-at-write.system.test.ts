import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killAtEveryWrite, rehearse, type Stage, Workbench } from "./kill-at-write.ts";
import { LIFE } from "./world.ts";

let bench: Workbench;
let stages: Stage[];
beforeAll(async () => {
  bench = await Workbench.make();
  stages = await rehearse(bench, LIFE);
});
afterAll(() => bench.remove());

/** The lost reply at every write; the other points at those of an apply. The long suite has all of them everywhere. */
const LOST_REPLY = [{ point: "applied" as const, delayUs: 0 }];
const MORE = [
  ...LOST_REPLY,
  { point: "before" as const, delayUs: 0 },
  { point: "inside" as const, delayUs: 100 },
  { point: "after" as const, delayUs: 0 },
];

describe("a control plane that is killed, and another one in its place that is asked the same again", () => {
  for (const [i, { name, writesMin }] of LIFE.entries()) {
    test(`${name}: nothing acknowledged is lost and nothing done twice`, async () => {
      const faults = name.includes("applied") ? MORE : LOST_REPLY;
      expect(await killAtEveryWrite(bench, stages[i] as Stage, faults)).toBeGreaterThanOrEqual(writesMin);
    });
  }
});
