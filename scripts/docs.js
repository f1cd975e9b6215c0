// @ts-check

import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/docs.ts", process.argv.slice(2));
