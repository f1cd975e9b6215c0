import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killAtEveryWrite, rehearse, type Stage, Workbench } from "./kill-at-write.ts";
import { WHOLE_LIFE } from "./world.ts";

let bench: Workbench;
let stages: Stage[];
beforeAll(async () => {
  bench = await Workbench.make();
  stages = await rehearse(bench, WHOLE_LIFE);
});
afterAll(() => bench.remove());

/** Microseconds from the beginning of a write: its statements take some hundred, its sync to the disk some hundred more. */
const INSIDE_US = [0, 200, 600];

describe("a control plane that is killed at every point of every write", () => {
  for (const [i, { name, writesMin }] of WHOLE_LIFE.entries()) {
    test(`${name}: nothing acknowledged is lost and nothing done twice`, async () => {
      const faults = [
        { point: "before" as const, delayUs: 0 },
        { point: "applied" as const, delayUs: 0 },
        { point: "after" as const, delayUs: 0 },
        ...INSIDE_US.map((delayUs) => ({ point: "inside" as const, delayUs })),
      ];
      expect(await killAtEveryWrite(bench, stages[i] as Stage, faults)).toBeGreaterThanOrEqual(writesMin);
    });
  }
});
