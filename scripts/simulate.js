// @ts-check

import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/simulate.ts", process.argv.slice(2));
