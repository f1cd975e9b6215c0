// `npm run mutants`: puts each deliberate bug of test/mutants/ into a copy of the sources and requires that its named
// test catches it. `npm run mutants -- <text>` takes those only whose file or description has the text.

import { MUTANTS } from "../test/mutants/index.ts";
import { runMutants } from "./run-mutants.ts";
import { countsLine } from "./test-counts.ts";

const text = process.argv[2] ?? "";
const chosen = MUTANTS.filter(({ file, breaks }) => `${file} ${breaks}`.includes(text));
if (chosen.length === 0) {
  process.stderr.write(`no mutant has "${text}" in its file or description\n`);
  process.exit(2);
}
const { caught, missed } = await runMutants(chosen, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(`\n${countsLine({ passed: caught, failed: missed, skipped: [] })}\n`);
if (missed > 0 || caught === 0) process.exitCode = 1;
