// @ts-check

import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/test-all.ts", process.argv.slice(2));
