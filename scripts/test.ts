// `npm test`: everything `npm run check` looks at, then the property, contract and end-to-end tests, which run real
// routers, engines and network namespaces. What they need is set up first; a missing part fails, it is never skipped.

import { runChecks } from "./check-steps.ts";
import { ensurePython } from "./python.ts";
import { SetupError } from "./python-interpreter.ts";
import { runTests } from "./run-tests.ts";
import { ensureSystemPackages } from "./system-packages.ts";
import { addCounts, countsLine } from "./test-counts.ts";

try {
  ensureSystemPackages();
  await ensurePython();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const checked = await runChecks();
const system = await runTests("system", true);
const counts = addCounts(checked.counts, system.counts);
const ok = checked.ok && system.ok;
if (counts.skipped.length > 0)
  process.stdout.write(`\nNot run:\n${counts.skipped.map((name) => `  ${name}`).join("\n")}\n`);
if (!ok && counts.failed === 0) process.stdout.write("\nThe tests passed; what failed stands above.\n");
process.stdout.write(`\n${countsLine(counts)}\n`);
process.exitCode = ok ? 0 : 1;
