import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "../test/mutants/index.ts";
import type { Mutant } from "../test/mutants/types.ts";
import { ROOT } from "./bootstrap.js";
import { mutate } from "./run-mutants.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

describe("a kept mutant", () => {
  it.each(MUTANTS.map((mutant) => [mutant.breaks, mutant] as const))("is not stale: %s", (_, mutant) => {
    expect(mutate(read(mutant.file), mutant)).not.toBe(read(mutant.file));
  });

  it("has a description of its own", () => {
    expect(new Set(MUTANTS.map((mutant) => mutant.breaks)).size).toBe(MUTANTS.length);
  });
});

describe("mutate", () => {
  const mutant: Mutant = {
    file: "a.ts",
    replace: "x < 1",
    by: "x <= 1",
    breaks: "",
    caughtBy: { file: "a.test.ts", test: "a" },
  };

  it("puts the bug where the text stands", () => {
    expect(mutate("if (x < 1) go();", mutant)).toBe("if (x <= 1) go();");
  });

  it.each(["if (y < 1) go();", "x < 1 || x < 1"])("refuses a mutant that is stale in %j", (source) => {
    expect(() => mutate(source, mutant)).toThrow(/^the mutant is stale: in a\.ts this stands [02] times/);
  });
});
