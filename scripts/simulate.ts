// `npm run simulate -- --seeds 1000 [--from 1] [--jobs 2]` runs many lives of the whole system in virtual time, each
// decided by its seed; `--seed N` runs one of them and prints what happened in it. See docs/simulation.md.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Coverage } from "../test/sim/coverage.ts";
import { notReached } from "../test/sim/expected.ts";
import { addOutcome, describe, emptySummary, type Summary } from "../test/sim/run.ts";
import { type Outcome, simulate } from "../test/sim/simulate.ts";

/** A run this long has to have reached everything; a shorter one is told what it did not reach. */
const SEEDS_FOR_COVERAGE = 150;
/** And one this long also what needs several unlikely things at once. */
const SEEDS_FOR_RARE = 20_000;
/** Broken seeds that are told one by one. */
const TOLD_MAX = 20;
/** Progress is told this often. */
const PROGRESS_MS = 30_000;

/** What a child process sends for each seed. */
interface Message extends Omit<Outcome, "coverage"> {
  seen: [string, [string, number][]][];
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    quiet: { type: "boolean", default: false },
    faultless: { type: "boolean", default: false },
    // Ends with the first seed that breaks the rule of this name; for one process only.
    until: { type: "string" },
  },
});
const options = { faults: !values.faultless };

if (process.send) await runAsChild();
else if (values.seed !== undefined) await runOne(Number(values.seed));
else if (values.seeds !== undefined) await runMany(Number(values.from), Number(values.seeds), Number(values.jobs));
else {
  process.stdout.write(
    "Usage: npm run simulate -- --seed N [--quiet] | --seeds N [--from N] [--jobs N] [--faultless]\n",
  );
  process.exitCode = 2;
}

async function runOne(seed: number): Promise<void> {
  const outcome = await simulate(seed, { ...options, trace: true });
  if (!values.quiet) process.stdout.write(`${outcome.lines.join("\n")}\n`);
  const summary = emptySummary();
  addOutcome(summary, outcome);
  process.stdout.write(`\nseed ${seed}: ${describe(summary)}, history ${outcome.hash}\n`);
  if (outcome.settledInMs !== null)
    process.stdout.write(`all was well ${outcome.settledInMs / 1_000} s after the last fault\n`);
  if (!outcome.broken) return;
  process.stdout.write(`BROKEN ${outcome.broken.rule}: ${outcome.broken.why}\n`);
  process.exitCode = 1;
}

async function runMany(from: number, count: number, jobs: number): Promise<void> {
  const began = performance.now();
  const summary = emptySummary();
  let toldAt = began;
  const take = (outcome: Outcome) => {
    addOutcome(summary, outcome);
    if (outcome.broken && summary.broken.length <= TOLD_MAX) {
      process.stdout.write(`seed ${outcome.seed} BROKEN ${outcome.broken.rule}: ${outcome.broken.why}\n`);
    }
    if (performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    process.stdout.write(`${describe(summary)}, ${summary.broken.length} broken\n`);
  };
  await (jobs > 1 ? runInChildren(from, count, jobs, take) : runHere(from, count, 1, take));
  conclude(summary, (performance.now() - began) / 1_000);
}

function conclude(summary: Summary, seconds: number): void {
  process.stdout.write(`${describe(summary)}, ${(summary.seeds / seconds).toFixed(1)} seeds/s\n`);
  const missing = notReached(summary.coverage, { isLong: summary.seeds >= SEEDS_FOR_RARE });
  if (missing.length > 0) process.stdout.write(`Not reached:\n${missing.map((name) => `  ${name}`).join("\n")}\n`);
  process.stdout.write(`${summary.broken.length} seeds broke a rule\n`);
  const isShort = summary.seeds < SEEDS_FOR_COVERAGE || values.faultless;
  if (summary.broken.length > 0 || (missing.length > 0 && !isShort)) process.exitCode = 1;
}

async function runHere(from: number, count: number, stride: number, take: (outcome: Outcome) => void): Promise<void> {
  for (let seed = from; seed < from + count; seed += stride) {
    const outcome = await simulate(seed, options);
    take(outcome);
    if (values.until !== undefined && outcome.broken?.rule === values.until) break;
  }
}

/** Each child takes every nth seed. */
async function runInChildren(
  from: number,
  count: number,
  jobs: number,
  take: (outcome: Outcome) => void,
): Promise<void> {
  const children = Array.from({ length: jobs }, async (_, index) => {
    const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2));
    child.on("message", ({ seen, ...outcome }: Message) => take({ ...outcome, coverage: coverageOf(seen) }));
    child.send({ from: from + index, count: count - index, stride: jobs });
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`a child ended with ${code}`);
  });
  await Promise.all(children);
}

async function runAsChild(): Promise<void> {
  const work = await new Promise<{ from: number; count: number; stride: number }>((resolve) =>
    process.once("message", (message) => resolve(message as { from: number; count: number; stride: number })),
  );
  await runHere(work.from, work.count, work.stride, ({ coverage, ...outcome }) => {
    const seen = [...coverage.seen].map(([kind, counts]): Message["seen"][number] => [kind, [...counts]]);
    process.send?.({ ...outcome, seen } satisfies Message);
  });
  process.disconnect?.();
}

function coverageOf(seen: Message["seen"]): Coverage {
  const coverage = new Coverage();
  for (const [kind, counts] of seen) for (const [value, times] of counts) coverage.saw(kind, value, times);
  return coverage;
}
