#!/usr/bin/env node
import { runOnProjectNode } from "../scripts/bootstrap.js";

await runOnProjectNode("src/cli/main.ts", process.argv.slice(2));
