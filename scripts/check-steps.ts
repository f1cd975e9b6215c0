import { checkImports } from "./check-imports.ts";
import { runStep, runTool } from "./run-step.ts";
import { runTests } from "./run-tests.ts";
import type { TestCounts } from "./test-counts.ts";

/** Runs everything that needs neither network nor other programs. Every step runs, whatever the others say. */
export async function runChecks(): Promise<{ ok: boolean; counts: TestCounts }> {
  const fixable = "\nMost of this is mended by: npx biome check --write";
  const results = [
    await runStep("format, lint", async () => {
      const { ok, output } = await runTool("biome", [
        "check",
        "--error-on-warnings",
        "--diagnostic-level=warn",
        "--max-diagnostics=50",
      ]);
      return { ok, output: output + fixable };
    }),
    await runStep("types", () => runTool("tsc", ["--project", "."])),
    await runStep("imports, purity", checkImports),
    await runStep("unused code", () => runTool("knip", ["--no-progress"])),
  ];
  let counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  const tested = await runStep("unit tests", async () => {
    const run = await runTests({ project: "unit" }, false);
    counts = run.counts;
    return run;
  });
  return { ok: tested && results.every(Boolean), counts };
}
