import { MUTANTS } from "../test/mutants/index.ts";
import { ROOT } from "./bootstrap.js";
import { runChecks } from "./check-steps.ts";
import { ensurePython } from "./python.ts";
import { runMutants } from "./run-mutants.ts";
import { runSimulation } from "./run-simulation.ts";
import { runTests } from "./run-tests.ts";
import { ensureSystemPackages } from "./system-packages.ts";
import type { TestCounts } from "./test-counts.ts";

/** One part of a test run. */
export interface Part {
  name: string;
  /** @returns what is left to print of it, besides the counts; nothing where it was shown as it came */
  run(): Promise<{ ok: boolean; counts: TestCounts; output?: string }>;
}

/** Parts that run one after the other. */
export type Lane = readonly Part[];

/** Lanes that run at the same time; the first shows what it prints as it comes. */
export type Stage = readonly Lane[];

/** Further beginnings of the random tests; fixed, so that a red run is due to the change and not to the draw. */
const MORE_SEEDS = [1, 2, 3];
/** Simulated lives beside those of `npm test`, fixed for the same reason; about a minute on 2 idle cores. */
const MORE_LIVES = { from: 10_101, seeds: 300, jobs: 2 };
const SIMULATION_LIMIT_MS = 20 * 60_000;

/** What the tests need: system packages, Python with the router. @throws SetupError when something cannot be had */
export async function setUpForTests(): Promise<void> {
  ensureSystemPackages();
  await ensurePython();
}

/**
 * `npm test`: what `npm run check` looks at, then what runs real routers, engines and network namespaces. That mostly
 * waits, so it goes in two lanes, but never in more: the tests of the second core's lane come before the random ones,
 * which keep a core busy.
 */
export const EVERY_DAY: Stage[] = [
  [[{ name: "check and unit tests", run: runChecks }]],
  [
    [{ name: "system tests", run: () => runTests({ project: "system" }, true) }],
    [
      { name: "end-to-end tests", run: () => runTests({ project: "e2e" }, false) },
      { name: "random tests", run: () => runTests({ project: "random" }, false) },
    ],
  ],
];

/** What `npm run test:all` adds. */
export const THE_REST: Stage[] = [
  [
    [{ name: "long tests", run: () => runTests({ project: "long" }, true) }],
    [{ name: "drills", run: () => runTests({ project: "drills" }, false) }],
  ],
  MORE_SEEDS.map((seed) => [
    {
      name: `random tests from ${seed}`,
      run: () => runTests({ project: "random", files: ".property.test.ts", seed }, false),
    },
  ]),
  [[{ name: "simulation", run: simulateMore }]],
  [[{ name: "mutants", run: catchMutants }]],
];

/** Counts as one test. */
async function simulateMore() {
  const outcome = await runSimulation(ROOT, MORE_LIVES, SIMULATION_LIMIT_MS);
  if (outcome.kind !== "passed") process.stdout.write(`${outcome.message}\n`);
  const ok = outcome.kind === "passed";
  return { ok, counts: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] } };
}

/** Each mutant counts as a test, which fails when the mutant is not caught. */
async function catchMutants() {
  const { caught, missed } = await runMutants(MUTANTS, (line) => process.stdout.write(`${line}\n`));
  return { ok: missed === 0, counts: { passed: caught, failed: missed, skipped: [] } };
}
