import { Coverage } from "./coverage.ts";
import { type Outcome, type SimulateOptions, simulate } from "./simulate.ts";

/** What a run of seeds adds up to. */
export interface Summary {
  seeds: number;
  steps: number;
  commits: number;
  /** Virtual. */
  ms: number;
  broken: Outcome[];
  coverage: Coverage;
}

export function emptySummary(): Summary {
  return { seeds: 0, steps: 0, commits: 0, ms: 0, broken: [], coverage: new Coverage() };
}

export function addOutcome(summary: Summary, outcome: Outcome): void {
  summary.seeds += 1;
  summary.steps += outcome.steps;
  summary.commits += outcome.commits;
  summary.ms += outcome.ms;
  summary.coverage.add(outcome.coverage);
  if (outcome.broken) summary.broken.push(outcome);
}

/** Runs seeds one after the other, until `enough` says so after one. */
export async function runSeeds(
  seeds: Iterable<number>,
  enough: (summary: Summary, last: Outcome) => boolean = () => false,
  options: SimulateOptions = {},
): Promise<Summary> {
  const summary = emptySummary();
  for (const seed of seeds) {
    const outcome = await simulate(seed, options);
    addOutcome(summary, outcome);
    if (enough(summary, outcome)) break;
  }
  return summary;
}

/** One line for people. */
export function describe({ seeds, steps, commits, ms }: Summary): string {
  return `${seeds} seeds, ${steps} steps, ${(ms / 3_600_000).toFixed(1)} simulated hours, ${commits} commits`;
}
