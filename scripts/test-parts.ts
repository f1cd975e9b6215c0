import { MUTANTS } from "../test/mutants/index.ts";
import { runChecks } from "./check-steps.ts";
import { ensurePython } from "./python.ts";
import { runMutants } from "./run-mutants.ts";
import { runTests } from "./run-tests.ts";
import { ensureSystemPackages } from "./system-packages.ts";
import type { TestCounts } from "./test-counts.ts";

/** One part of a test run. */
export interface Part {
  name: string;
  run(): Promise<{ ok: boolean; counts: TestCounts }>;
}

/** Further beginnings of the random tests; fixed, so that a red run is due to the change and not to the draw. */
const MORE_SEEDS = [1, 2, 3, 4, 5];

/** What the tests need: system packages, Python with the router. @throws SetupError when something cannot be had */
export async function setUpForTests(): Promise<void> {
  ensureSystemPackages();
  await ensurePython();
}

/** `npm test`: what `npm run check` looks at, then what runs real routers, engines and network namespaces. */
export const EVERY_DAY: Part[] = [
  { name: "check and unit tests", run: runChecks },
  { name: "system tests", run: () => runTests({ project: "system" }, true) },
];

/** What `npm run test:all` adds. */
export const THE_REST: Part[] = [
  { name: "long tests", run: () => runTests({ project: "long" }, true) },
  ...MORE_SEEDS.map((seed) => ({
    name: `random tests from ${seed}`,
    run: () => runTests({ project: "system", files: ".property.test.ts", seed }, true),
  })),
  { name: "mutants", run: catchMutants },
];

/** Each mutant counts as a test, which fails when the mutant is not caught. */
async function catchMutants() {
  const { caught, missed } = await runMutants(MUTANTS, (line) => process.stdout.write(`${line}\n`));
  return { ok: missed === 0, counts: { passed: caught, failed: missed, skipped: [] } };
}
