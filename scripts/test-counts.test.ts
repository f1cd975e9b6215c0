import { describe, expect, it } from "vitest";
import { addCounts, countsLine, countTests } from "./test-counts.ts";

const file = (status: "passed" | "failed", ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status, index) => ({ status, fullName: `test ${index}` })),
});
const count = (...testResults: unknown[]) => countTests(JSON.stringify({ testResults }));

describe("countTests", () => {
  it("counts what passed and failed", () => {
    const counts = count(file("passed", "passed", "passed"), file("failed", "passed", "failed", "failed"));
    expect(counts).toEqual({ passed: 3, failed: 2, skipped: [] });
  });

  it("counts a file that did not load as one failure", () => {
    expect(count(file("failed"), file("passed", "passed"))).toEqual({ passed: 1, failed: 1, skipped: [] });
  });

  it("counts a file whose hook broke as one failure", () => {
    expect(count(file("failed", "passed"))).toMatchObject({ passed: 1, failed: 1 });
  });

  it("names what was not run", () => {
    expect(count(file("passed", "skipped", "todo"))).toEqual({ passed: 0, failed: 0, skipped: ["test 0", "test 1"] });
  });

  it("takes a missing report for a failure", () => {
    expect(countTests(null)).toEqual({ passed: 0, failed: 1, skipped: [] });
  });
});

it("sums into the line that CI reads", () => {
  const sum = addCounts({ passed: 2, failed: 0, skipped: [] }, { passed: 1, failed: 3, skipped: [] });
  expect(countsLine(sum)).toBe("3 passed, 3 failed");
});
