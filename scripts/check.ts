// `npm run check`: format, lint, types, import directions, purity, unused code and unit tests, in under a minute.

import { runChecks } from "./check-steps.ts";

const { ok } = await runChecks();
process.exitCode = ok ? 0 : 1;
