// `npm run test:all`, which CI runs: all of `npm test`, then the long tests, random tests from more seeds, and the
// mutants. docs/testing.md says what each is for.

import { runParts } from "./run-parts.ts";
import { EVERY_DAY, setUpForTests, THE_REST } from "./test-parts.ts";

const ok = await runParts(setUpForTests, [...EVERY_DAY, ...THE_REST], (text) => process.stdout.write(text));
process.exitCode = ok ? 0 : 1;
