import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mutant } from "../test/mutants/types.ts";
import { type NamedTest, type Outcome, runNamedTests } from "./named-tests.ts";
import { runSimulation } from "./run-simulation.ts";
import { inSourceCopy } from "./source-copy.ts";

/** A mutant takes a few seconds; one that makes its test run in circles is not caught by an assertion. */
const MUTANT_LIMIT_MS = 120_000;
/** All named tests once, without any mutant. */
const UNCHANGED_LIMIT_MS = 300_000;
/** Copies of the sources with a mutant each at a time: a test that starts and ends keeps one core busy. */
const COPIES = 2;
/**
 * Lives that are simulated with a mutant until one breaks its rule: most bugs that the simulation finds come up in every
 * second, those that need two servers in one of fifteen, those that need two hosts cut from each other in one of eighty.
 */
const SIMULATED_SEEDS = 120;

/**
 * Shows for each mutant that its named test catches it: the test passes on the sources as they are and fails, by an
 * assertion or by naming the rule, on the sources with the bug.
 *
 * @param tell gets a line for each mutant as it comes
 * @returns how many were caught and how many were not
 */
export async function runMutants(
  mutants: readonly Mutant[],
  tell: (line: string) => void,
): Promise<{ caught: number; missed: number }> {
  const tests = namedTests(mutants);
  const unchanged = await inSourceCopy((folder) => runNamedTests(folder, tests, UNCHANGED_LIMIT_MS));
  const passing = new Map(tests.map((test, index) => [keyOf(test), unchanged[index] as Outcome]));
  const left = mutants.values();
  let caught = 0;
  const work = async (folder: string) => {
    for (const mutant of left) {
      const problem = await whyMissed(folder, mutant, passing.get(keyOf(mutant.caughtBy)) as Outcome);
      if (problem === null) caught += 1;
      tell(problem === null ? `caught  ${mutant.breaks}` : `MISSED  ${mutant.breaks}\n${describe(mutant, problem)}`);
    }
  };
  await Promise.all(Array.from({ length: COPIES }, () => inSourceCopy(work)));
  return { caught, missed: mutants.length - caught };
}

/**
 * The file with the bug in it.
 * @throws Error when the text to replace does not stand there exactly once: the mutant is stale
 */
export function mutate(source: string, { file, replace, by }: Mutant): string {
  const parts = source.split(replace);
  if (parts.length !== 2) {
    throw new Error(
      `the mutant is stale: in ${file} this stands ${parts.length - 1} times instead of once: ${replace.trim()}\n` +
        "Change the mutant in test/mutants/ along with the code, so that it makes the same mistake as before.",
    );
  }
  return parts.join(by);
}

/** @returns null when the mutant's test caught it */
async function whyMissed(folder: string, mutant: Mutant, unchanged: Outcome): Promise<string | null> {
  if (unchanged.kind !== "passed") return `without the mutant its test does not pass: ${unchanged.message}`;
  const path = join(folder, mutant.file);
  const source = await readFile(path, "utf8");
  const { rule, simulation } = mutant.caughtBy;
  try {
    await writeFile(path, mutate(source, mutant));
    const [tested] = await runNamedTests(folder, [mutant.caughtBy], MUTANT_LIMIT_MS);
    const problem = notCaught("its test", tested as Outcome, rule);
    if (problem !== null || simulation === undefined) return problem;
    const lives = { from: 1, seeds: SIMULATED_SEEDS, until: simulation };
    const simulated = await runSimulation(folder, lives, MUTANT_LIMIT_MS);
    return notCaught("the simulation", simulated, `BROKEN ${simulation}`);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await writeFile(path, source);
  }
}

/** @returns null when what was run failed as it must */
function notCaught(what: string, outcome: Outcome, rule: string | undefined): string | null {
  if (outcome.kind === "passed") return `${what} passes all the same`;
  if (outcome.kind === "broken") return `${what} could not be run: ${outcome.message}`;
  if (outcome.message.includes(rule ?? "AssertionError")) return null;
  return `${what} fails, but not by ${rule === undefined ? "an assertion" : `"${rule}"`}: ${outcome.message}`;
}

function describe({ file, replace, by, caughtBy }: Mutant, problem: string): string {
  const lines = [`${file}: ${replace.trim()}  ->  ${by.trim()}`, `${caughtBy.file}: ${caughtBy.test}`, problem];
  return lines.map((line) => `        ${line.replaceAll("\n", "\n        ")}`).join("\n");
}

function namedTests(mutants: readonly Mutant[]): NamedTest[] {
  return [...new Map(mutants.map(({ caughtBy }) => [keyOf(caughtBy), caughtBy])).values()];
}

function keyOf({ file, test }: NamedTest): string {
  return `${file} ${test}`;
}
