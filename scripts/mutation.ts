// `npm run mutation [-- --sample N] [--seed S] [--only TEXT]`: how much of the decision code the tests hold. Makes small
// changes to it, one at a time, and counts those that a test notices. By hand: the whole takes hours, a sample minutes.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./bootstrap.js";
import { applyMutation, type Mutation, mutationsOf } from "./mutations.ts";
import { passes } from "./named-tests.ts";
import { inSourceCopy } from "./source-copy.ts";

/** Which tests are asked about which sources: the quick ones first, since most mutations end there. */
const TARGETS = [
  { sources: ["src/core"], tests: [["src/core/", "--project=unit"], ["src/core/rules.property.test.ts"]] },
  {
    sources: ["agents/host/decide.ts", "agents/host/decide"],
    tests: [["agents/host/decide", "--project=unit"], ["agents/host/decide.property.test.ts"]],
  },
];
/** A sample that takes about ten minutes. */
const SAMPLE = 150;
/** Ten times what the slowest of the tests take alone: a mutation that makes them slower than that is noticed. */
const LIMIT_MS = 100_000;

interface Candidate {
  file: string;
  mutation: Mutation;
  tests: string[][];
}

const { values } = parseArgs({
  options: {
    sample: { type: "string", default: String(SAMPLE) },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const candidates = TARGETS.flatMap(({ sources, tests }) =>
  filesOf(sources).flatMap((file) =>
    mutationsOf(readFileSync(join(ROOT, file), "utf8")).map((mutation): Candidate => ({ file, mutation, tests })),
  ),
).filter(({ file }) => file.includes(values.only));
const sample = shuffled(candidates, values.seed).slice(0, Number(values.sample));
process.stdout.write(`${sample.length} of ${candidates.length} mutations, seed ${values.seed}\n\n`);

const tried = new Map<string, { killed: number; all: number }>();
await inSourceCopy(async (folder) => {
  for (const candidate of sample) {
    const survived = await survives(folder, candidate);
    const { file, mutation } = candidate;
    const count = tried.get(file) ?? { killed: 0, all: 0 };
    tried.set(file, { killed: count.killed + (survived ? 0 : 1), all: count.all + 1 });
    if (survived) process.stdout.write(`survived  ${file}:${mutation.line}  ${show(candidate)}\n`);
  }
});
process.stdout.write("\n");
for (const [file, count] of [...tried].sort(([a], [b]) => (a < b ? -1 : 1)))
  process.stdout.write(`${line(file, count)}\n`);
const killed = [...tried.values()].reduce((sum, count) => sum + count.killed, 0);
process.stdout.write(`${line("all", { killed, all: sample.length })}\n`);

/** Sources below these paths; tests and what only they use are none. */
function filesOf(paths: string[]): string[] {
  return paths
    .flatMap((path) => (path.endsWith(".ts") ? [path] : readdirSync(join(ROOT, path)).map((name) => `${path}/${name}`)))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith("/testing.ts"))
    .sort();
}

/** The same seed gives the same order, also of what is left when other mutations come or go. */
function shuffled(all: Candidate[], seed: string): Candidate[] {
  const keyOf = ({ file, mutation: { start, end, by } }: Candidate) =>
    createHash("sha256").update(`${seed} ${file} ${start} ${end} ${by}`).digest("hex");
  return all
    .map((candidate) => ({ candidate, key: keyOf(candidate) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ candidate }) => candidate);
}

async function survives(folder: string, { file, mutation, tests }: Candidate): Promise<boolean> {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  try {
    await writeFile(path, applyMutation(source, mutation));
    for (const choice of tests) if (!(await passes(folder, choice, LIMIT_MS))) return false;
    return true;
  } finally {
    await writeFile(path, source);
  }
}

function show({ file, mutation: { start, end, by } }: Candidate): string {
  const source = readFileSync(join(ROOT, file), "utf8");
  const from = source.lastIndexOf("\n", start) + 1;
  const after = source.indexOf("\n", end);
  const text = `${source.slice(from, start)}[${source.slice(start, end)} -> ${by}]${source.slice(end, after)}`;
  return text.trim().replaceAll(/\s+/g, " ");
}

function line(name: string, { killed, all }: { killed: number; all: number }): string {
  return `${name.padEnd(36)} ${killed} of ${all} noticed  ${((100 * killed) / all).toFixed(0)} %`;
}
