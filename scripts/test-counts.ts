import * as z from "zod";

/** What we read of vitest's JSON report. */
const report = z.object({
  testResults: z.array(
    z.object({
      status: z.enum(["passed", "failed"]),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

export interface TestCounts {
  passed: number;
  failed: number;
  /** Names of tests that were not run. */
  skipped: string[];
}

/**
 * Counts the tests of a run. A file that fails without a failed test in it did not load, or broke in a hook: it counts
 * as one failure. No report at all means that vitest itself broke, which is one failure too.
 *
 * @param json vitest's JSON report; null when it wrote none
 */
export function countTests(json: string | null): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  if (json === null) return { ...counts, failed: 1 };
  for (const file of report.parse(JSON.parse(json)).testResults) {
    const failed = file.assertionResults.filter((test) => test.status === "failed").length;
    counts.failed += file.status === "failed" ? Math.max(failed, 1) : failed;
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed++;
      else if (test.status !== "failed") counts.skipped.push(test.fullName);
    }
  }
  return counts;
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

/** The line that CI reads; nothing else stands on it. */
export function countsLine({ passed, failed }: TestCounts): string {
  return `${passed} passed, ${failed} failed`;
}
