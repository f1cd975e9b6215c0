import { describe, expect, it } from "vitest";
import { SetupError } from "./python-interpreter.ts";
import { runParts } from "./run-parts.ts";
import type { Part, Stage } from "./test-parts.ts";

const counted = (passed: number, failed: number) => ({ ok: failed === 0, counts: { passed, failed, skipped: [] } });
const part = (name: string, passed: number, failed: number, ok = failed === 0): Part => ({
  name,
  run: async () => ({ ok, counts: { passed, failed, skipped: [] } }),
});
const broken: Part = { name: "broken", run: () => Promise.reject(new Error("out of disk")) };

/** @returns whether all was well, and what was printed */
async function run(parts: (Part | Stage)[], setUp = async () => {}) {
  let printed = "";
  const ok = await runParts(
    setUp,
    parts.map((part) => ("run" in part ? [[part]] : part)),
    (text) => {
      printed += text;
    },
  );
  return { ok, printed, last: printed.trimEnd().split("\n").at(-1) };
}

describe("a run of several parts", () => {
  it("ends with the counts of all of them", async () => {
    expect(await run([part("one", 2, 0), part("two", 3, 0)])).toMatchObject({ ok: true, last: "5 passed, 0 failed" });
  });

  it("goes on after a part that failed, and fails", async () => {
    expect(await run([part("one", 1, 2), part("two", 3, 0)])).toMatchObject({ ok: false, last: "4 passed, 2 failed" });
  });

  it("counts a part that broke as one failure and goes on", async () => {
    const { ok, printed, last } = await run([broken, part("two", 3, 0)]);
    expect({ ok, last }).toEqual({ ok: false, last: "3 passed, 1 failed" });
    expect(printed).toContain("Error: out of disk");
  });

  it("fails when a part does although none of its tests did", async () => {
    const { ok, printed, last } = await run([part("one", 1, 0, false)]);
    expect({ ok, last }).toEqual({ ok: false, last: "1 passed, 0 failed" });
    expect(printed).toContain("The tests passed; what failed stands above.");
  });

  it("says what could not be set up, without a stack, and runs nothing", async () => {
    const setUp = () => Promise.reject(new SetupError("pip is missing"));
    const { ok, printed, last } = await run([part("one", 1, 0)], setUp);
    expect({ ok, last }).toEqual({ ok: false, last: "0 passed, 1 failed" });
    expect(printed.split("\n")).toContain("pip is missing");
    expect(printed).not.toContain("    at ");
  });

  it("runs the lanes of a stage at the same time, and says what failed in it", async () => {
    const { promise: met, resolve: meet } = Promise.withResolvers<void>();
    const waits: Part = { name: "waits", run: () => met.then(() => ({ ...counted(1, 1), output: "what it said" })) };
    const meets: Part = {
      name: "meets",
      run: async () => {
        meet();
        return { ...counted(1, 0), output: "nothing to see" };
      },
    };
    const { ok, printed, last } = await run([[[waits], [meets]], part("later", 1, 0)]);
    expect({ ok, last }).toEqual({ ok: false, last: "3 passed, 1 failed" });
    expect(printed).toContain("=== waits\n\nwhat it said");
    expect(printed).not.toContain("nothing to see");
  });

  it("runs the parts of a lane one after the other, also after one that failed", async () => {
    let running = 0;
    const alone = (name: string, failed: number): Part => ({
      name,
      run: async () => {
        running += 1;
        await new Promise(setImmediate);
        expect(running).toBe(1);
        running -= 1;
        return counted(1, failed);
      },
    });
    const lane = [alone("one", 1), alone("two", 0), broken, alone("three", 0)];
    expect(await run([[lane]])).toMatchObject({ ok: false, last: "3 passed, 2 failed" });
  });

  it("says how many tests were not run, and which", async () => {
    const skipped = ["one (not run: no packet filter)", "two"];
    const leftOut = async () => ({ ok: true, counts: { passed: 1, failed: 0, skipped } });
    const { printed, last } = await run([{ name: "left out", run: leftOut }]);
    expect(printed).toContain("\nTests that were not run: 2\n  one (not run: no packet filter)\n  two\n");
    expect(last).toBe("1 passed, 0 failed");
  });

  it("has its counts on one line only", async () => {
    const { printed } = await run([part("one", 2, 0), part("two", 3, 0)]);
    expect(printed.match(/\d+ passed, \d+ failed/g)).toHaveLength(1);
  });
});
