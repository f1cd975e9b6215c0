import { runOnProjectNode } from "./bootstrap.js";

await runOnProjectNode("scripts/demo.ts", process.argv.slice(2));
