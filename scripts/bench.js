// @ts-check

import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/bench.ts", process.argv.slice(2));
