import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLocalToken } from "../../src/node.ts";
import { CrashServer, serverFiles } from "./crash-server.ts";
import type { Fault } from "./fault.ts";
import { killAtEveryWrite, rehearse, type Stage, serve, Workbench } from "./kill-at-write.ts";
import { apply, LIFE } from "./world.ts";

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

test("a first start that was killed leaves what the next one can go on with", async () => {
  for (const [write, point] of [
    [1, "applied"],
    [2, "before"],
    [2, "applied"],
  ] as const) {
    const folder = await bench.copy(null);
    const fault: Fault = { write, point, delayUs: 0, signal: "SIGKILL" };
    expect((await CrashServer.start(folder, bench.codeCache, { fault })).isRunning).toBe(false);
    const server = await serve(folder);
    try {
      // One that was made and never shown is nobody's; the server's owner makes another.
      const isMade = write === 2 && point === "applied";
      expect(server.firstStart === null).toBe(isMade);
      const { dataDir } = serverFiles(folder);
      const token = server.firstStart?.adminToken ?? (await createLocalToken(dataDir, "again")).token;
      await apply(server.url, token, "key-of-first-apply", 1);
    } finally {
      await server.close();
    }
  }
});

describe("a control plane that is killed, and another one in its place that is asked the same again", () => {
  for (const [i, { name, writesMin }] of LIFE.entries()) {
    test(`${name}: nothing acknowledged is lost and nothing done twice`, async () => {
      const faults = name.includes("applied") ? MORE : LOST_REPLY;
      expect(await killAtEveryWrite(bench, stages[i] as Stage, faults)).toBeGreaterThanOrEqual(writesMin);
    });
  }
});
