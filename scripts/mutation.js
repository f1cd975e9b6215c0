// @ts-check

import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/mutation.ts", process.argv.slice(2));
