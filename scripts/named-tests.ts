import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

/** What we read of vitest's JSON report. */
const report = z.object({
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export interface NamedTest {
  /** Path of the test file in the checkout. */
  file: string;
  /** Its full name: those of its `describe`s and its own, with ` > ` between. */
  test: string;
}

export type Outcome =
  | { kind: "passed" }
  /** With all that the failures said. */
  | { kind: "failed"; message: string }
  /** Nothing can be said: there is no such test, its file did not load, or it took too long. */
  | { kind: "broken"; message: string };

/**
 * Runs single tests in a copy of the checkout and tells how each went, in the order given.
 *
 * @param limitMs after this the run is killed
 */
export async function runNamedTests(folder: string, tests: readonly NamedTest[], limitMs: number): Promise<Outcome[]> {
  const file = join(folder, "report.json");
  await rm(file, { force: true });
  const files = [...new Set(tests.map((test) => test.file))];
  const names = tests.map(({ test }) => `^${escapeName(test)}$`).join("|");
  const reporter = ["--reporter=json", `--outputFile=${file}`];
  const { ended } = await run(folder, [...files, "-t", names, ...reporter], limitMs);
  const json = await readFile(file, "utf8").catch(() => null);
  if (json === null) return tests.map(() => ({ kind: "broken", message: ended }));
  const { testResults } = report.parse(JSON.parse(json));
  const loading = testResults.map((each) => each.message).join("\n");
  const results = testResults.flatMap((each) => each.assertionResults);
  return tests.map(({ test }) => {
    const found = results.find(({ ancestorTitles, title }) => [...ancestorTitles, title].join(" > ") === test);
    if (found?.status === "passed") return { kind: "passed" };
    const message = found?.failureMessages?.join("\n") ?? "";
    if (found?.status === "failed") return { kind: "failed", message };
    return { kind: "broken", message: loading.trim() || `there is no test named "${test}"` };
  });
}

function escapeName(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Whether all tests of these files pass in a copy of the checkout; stops at the first that fails. One that takes longer
 * than `limitMs` does not pass.
 *
 * @param choice arguments of vitest: files, projects
 */
export async function passes(folder: string, choice: readonly string[], limitMs: number): Promise<boolean> {
  return (await run(folder, [...choice, "--bail=1"], limitMs)).ok;
}

/** @returns whether all is well, and how it ended, for people */
function run(cwd: string, args: readonly string[], limitMs: number): Promise<{ ok: boolean; ended: string }> {
  return new Promise((resolve, reject) => {
    // In a group of its own, so that workers which run in circles go with it.
    const child = spawn("node_modules/.bin/vitest", ["run", ...args], { cwd, stdio: "ignore", detached: true });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, limitMs);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      const ended = signal
        ? `it took more than ${limitMs / 1_000} s`
        : `vitest ended with ${code} and without a report`;
      resolve({ ok: code === 0, ended });
    });
  });
}
