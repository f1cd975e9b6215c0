import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Mutant } from "../test/mutants/types.ts";
import { ROOT } from "./bootstrap.js";
import { runMutants } from "./run-mutants.ts";

/** A file with a small test of its own. */
const FILE = "src/cli/time-span.ts";
const TEST = { file: "src/cli/time-span.test.ts", test: "instants sort as text" };

const mutant = (breaks: string, replace: string, by: string, over: Partial<Mutant["caughtBy"]> = {}): Mutant => ({
  file: FILE,
  replace,
  by,
  breaks,
  caughtBy: { ...TEST, ...over },
});

it("tells a mutant that is caught from one that is not, and leaves the sources as they are", async () => {
  const before = readFileSync(join(ROOT, FILE), "utf8");
  const told: string[] = [];
  const counts = await runMutants(
    [
      mutant("caught", "slice(0, 19)", "slice(0, 16)"),
      mutant("elsewhere", 'return "0s"', 'return "none"'),
      mutant("does not load", "export function showInstant", "export function ("),
      mutant("throws", "new Date(ms).toISOString()", "missing.toISOString()"),
      mutant("throws what was said", "new Date(ms).toISOString()", "missing.toISOString()", { rule: "missing is not" }),
      mutant("stale", "text that is not there", ""),
      mutant("no such test", "slice(0, 19)", "slice(0, 16)", { test: "instants sort" }),
    ],
    (line) => told.push(line),
  );
  expect(counts).toEqual({ caught: 2, missed: 5 });
  const expected = [
    ["caught  caught", ""],
    ["MISSED  elsewhere", "its test passes all the same"],
    ["MISSED  does not load", "its test could not be run"],
    ["MISSED  throws", "its test fails, but not by an assertion: ReferenceError: missing is not defined"],
    ["caught  throws what was said", ""],
    ["MISSED  stale", "the mutant is stale"],
    ["MISSED  no such test", 'there is no test named "instants sort"'],
  ] as const;
  // As they come: several are tried at once.
  const byLine = new Map(told.map((lines) => [lines.split("\n")[0], lines]));
  expect([...byLine.keys()].sort()).toEqual(expected.map(([line]) => line).sort());
  expect(told).toHaveLength(expected.length);
  for (const [line, problem] of expected) expect(byLine.get(line)).toContain(problem);
  expect(readFileSync(join(ROOT, FILE), "utf8")).toBe(before);
});
