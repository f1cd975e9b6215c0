import { SetupError } from "./python-interpreter.ts";
import { addCounts, countsLine, type TestCounts } from "./test-counts.ts";
import type { Part, Stage } from "./test-parts.ts";

const NOTHING: TestCounts = { passed: 0, failed: 0, skipped: [] };

/**
 * Sets up, runs the stages one after the other, whatever the earlier ones gave, and says what each part gave. The last
 * line has the counts of all, also when something breaks: what breaks without a failed test counts as one.
 *
 * @returns whether all is well
 */
export async function runParts(
  setUp: () => Promise<void>,
  stages: readonly Stage[],
  print: (text: string) => void,
): Promise<boolean> {
  let total = NOTHING;
  const summary: string[] = [];
  const attempt = async (name: string, run: Part["run"]): Promise<boolean> => {
    const start = performance.now();
    const { ok, counts, output } = await run().catch((error: unknown) => {
      const why = error instanceof SetupError ? error.message : (error as Error).stack;
      return { ok: false, counts: { ...NOTHING, failed: 1 }, output: why };
    });
    if (!ok && output) print(`\n=== ${name}\n\n${output}\n`);
    total = addCounts(total, counts);
    const seconds = Math.round((performance.now() - start) / 1_000);
    const tests = `${counts.passed} of ${counts.passed + counts.failed} tests`;
    summary.push(`${ok ? "ok    " : "FAILED"} ${name.padEnd(24)} ${tests.padEnd(22)} ${seconds} s`);
    return ok;
  };
  let ok = await attempt("set-up", async () => {
    await setUp();
    return { ok: true, counts: NOTHING };
  });
  if (ok) {
    for (const stage of stages) {
      if (stages.length > 1) {
        const names = stage.flat().map(({ name }) => name);
        print(`\n=== ${names.join(", ")}\n\n`);
      }
      const all = await Promise.all(
        stage.map(async (lane) => {
          let allOk = true;
          for (const { name, run } of lane) allOk = (await attempt(name, run)) && allOk;
          return allOk;
        }),
      );
      ok = all.every(Boolean) && ok;
    }
  }
  if (total.skipped.length > 0) {
    print(`\nTests that were not run: ${total.skipped.length}\n${total.skipped.map((name) => `  ${name}\n`).join("")}`);
  }
  print(`\n${summary.join("\n")}\n`);
  if (!ok && total.failed === 0) print("\nThe tests passed; what failed stands above.\n");
  print(`\n${countsLine(total)}\n`);
  return ok;
}
