import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./bootstrap.js";
import { runTool } from "./run-step.ts";
import { countTests, type TestCounts } from "./test-counts.ts";

export interface TestRun {
  /** Whether every test passed, at least one was run, and vitest had nothing else to complain about. */
  ok: boolean;
  counts: TestCounts;
  /** What vitest printed; empty when it was shown as it came. */
  output: string;
}

export interface TestChoice {
  /** As vitest.config.ts names it. */
  project: "unit" | "random" | "system" | "e2e" | "long" | "drills";
  /** Only files whose path has this text. */
  files?: string;
  /** Where random tests begin to draw, see test/support/seed.ts; theirs when left out. */
  seed?: number;
}

/**
 * Runs tests and counts them.
 *
 * @param show whether vitest's output goes to the terminal as it comes
 */
export async function runTests({ project, files, seed }: TestChoice, show: boolean): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-tests-"));
  try {
    const file = join(folder, "report.json");
    const reporters = [`--reporter=${show ? "default" : "minimal"}`, "--reporter=json", `--outputFile.json=${file}`];
    const args = ["run", ...(files === undefined ? [] : [files]), `--project=${project}`, ...reporters];
    const env = seed === undefined ? process.env : { ...process.env, HEADRACE_SEED: String(seed) };
    const { ok, output } = show ? { ok: await runShown(args, env), output: "" } : await runTool("vitest", args, env);
    const counts = countTests(await readFile(file, "utf8").catch(() => null));
    return { ok: ok && counts.failed === 0 && counts.passed > 0, counts, output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runShown(args: string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("node_modules/.bin/vitest", args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code === 0));
  });
}
