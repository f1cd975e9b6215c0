// `npm test`: everything `npm run check` looks at, then the property, contract and end-to-end tests, which run real
// routers, engines and network namespaces. What they need is set up first; a missing part fails, it is never skipped.

import { runParts } from "./run-parts.ts";
import { EVERY_DAY, setUpForTests } from "./test-parts.ts";

const ok = await runParts(setUpForTests, EVERY_DAY, (text) => process.stdout.write(text));
process.exitCode = ok ? 0 : 1;
