#!/usr/bin/env -S node --
// @ts-check

import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { becomeNode, pathWith, runOnProjectNode, setUp } from "../scripts/bootstrap.js";
import { ensureBundle } from "../scripts/bundle.js";

// Node reads a flag of its own name, `--env-file`, behind the script as well, unless a `--` stands before it.
const args = process.argv.slice(2);
const node = await setUp();
const bundle = await ensureBundle(join(node, "node"));
if (bundle === null) await runOnProjectNode("src/cli/main.ts", args);
else runBundled(join(bundle, "headrace.cjs"), join(bundle, "compile-cache"));

/**
 * @param {string} program
 * @param {string} compileCache
 */
function runBundled(program, compileCache) {
  if (node !== dirname(process.execPath)) {
    becomeNode(node, ["--", program, ...args], { NODE_COMPILE_CACHE: compileCache });
    return;
  }
  // This is the Node to use already: another start of it would be a third of what a short command takes.
  process.env.PATH = pathWith(node);
  module.enableCompileCache(compileCache);
  createRequire(import.meta.url)(program);
}
