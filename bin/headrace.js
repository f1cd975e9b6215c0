#!/usr/bin/env node
// @ts-check

import { runOnProjectNode } from "../scripts/bootstrap.js";

await runOnProjectNode("src/cli/main.ts", process.argv.slice(2));
