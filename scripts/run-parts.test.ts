import { describe, expect, it } from "vitest";
import { SetupError } from "./python-interpreter.ts";
import { runParts } from "./run-parts.ts";
import type { Part } from "./test-parts.ts";

const part = (name: string, passed: number, failed: number, ok = failed === 0): Part => ({
  name,
  run: async () => ({ ok, counts: { passed, failed, skipped: [] } }),
});
const broken: Part = { name: "broken", run: () => Promise.reject(new Error("out of disk")) };

/** @returns whether all was well, and what was printed */
async function run(parts: Part[], setUp = async () => {}) {
  let printed = "";
  const ok = await runParts(setUp, parts, (text) => {
    printed += text;
  });
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
    expect(printed.split("\n")[0]).toBe("pip is missing");
    expect(printed).not.toContain("    at ");
  });

  it("has its counts on one line only", async () => {
    const { printed } = await run([part("one", 2, 0), part("two", 3, 0)]);
    expect(printed.match(/\d+ passed, \d+ failed/g)).toHaveLength(1);
  });
});
