// Makes the bundle of the present sources, unless it is there. bundle.js runs this, one at a time, and looks for itself
// whether there is one then. So nothing is printed and any obstacle just ends it: programs run from their sources, and
// a source that cannot be bundled says there what is wrong with it.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import type { OutputFile, Plugin } from "esbuild";
import { ROOT } from "./bootstrap.js";
import { BUNDLES, isWhole, MANIFEST, sourcesKey } from "./bundle.js";

/** The programs that are started as processes, by the name of their file in the bundle (see agents/host/programs.ts). */
const PROGRAMS = {
  headrace: "src/cli/main.ts",
  agent: "agents/host/main.ts",
  supervisor: "agents/host/runtime/process/supervisor.ts",
};

/** Those of the branches that somebody goes to and fro between. Each takes about 15 MB. */
const BUNDLES_KEPT = 4;

try {
  const folder = join(BUNDLES, sourcesKey());
  if (!isWhole(folder)) await makeBundle(folder);
} catch {
  process.exitCode = 1;
}

async function makeBundle(folder: string): Promise<void> {
  const programs = Object.entries(PROGRAMS);
  const made = await Promise.all(programs.map(([name, entry]) => bundleProgram(entry, join(folder, `${name}.cjs`))));
  // A source that was changed meanwhile may be in it or not: it would bear a wrong name.
  if (basename(folder) !== sourcesKey()) throw new Error("the sources have changed");
  const partial = join(BUNDLES, `partial-${process.pid}`);
  try {
    mkdirSync(partial);
    const files = made.flat().map(({ path, contents }) => [basename(path), contents] as const);
    for (const [file, contents] of files) writeFileSync(join(partial, file), contents);
    const sizes = Object.fromEntries(files.map(([file, contents]) => [file, contents.length]));
    writeFileSync(join(partial, MANIFEST), JSON.stringify(sizes));
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  removeOthers(folder);
}

/**
 * In CommonJS, since an import of `node:http` as a module of ES loads all of Node's `fetch`, of which we need nothing:
 * 7 MB in each process. Not minified, so that stack traces can be read, and told from one another in reports; with
 * `NODE_OPTIONS=--enable-source-maps` they name the sources.
 */
async function bundleProgram(entry: string, outfile: string): Promise<Pick<OutputFile, "path" | "contents">[]> {
  const toRoot = JSON.stringify(`${relative(join(BUNDLES, "any"), ROOT)}/`);
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // Native code, which is found in node_modules as ever.
    external: ["libsql"],
    define: { HEADRACE_BUNDLE: "__dirname" },
    // Its own first statement, as all that is bundled was written for it; after another it would be none.
    banner: {
      js: `"use strict"; const HEADRACE_ROOT = new URL(${toRoot}, require("node:url").pathToFileURL(__dirname + "/"));`,
    },
    plugins: [importMeta(entry)],
    legalComments: "none",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "silent",
  });
  return outputFiles.map((file) => ({ ...file, contents: inAscii(file) }));
}

/**
 * With escapes for what is beyond ASCII, as esbuild writes them in strings, in comments and regular expressions too. A
 * single such character would double what each process keeps of its program's text.
 */
function inAscii({ text }: OutputFile): Uint8Array {
  return Buffer.from(text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** `import.meta` goes on telling of the source, so that what is found beside a source (the migrations) still is. */
function importMeta(entry: string): Plugin {
  return {
    name: "import-meta",
    setup({ onLoad }) {
      onLoad({ filter: /\/(src|agents)\/.*\.ts$/ }, ({ path }) => {
        const file = relative(ROOT, path);
        const contents = readFileSync(path, "utf8")
          .replaceAll("import.meta.url", `(HEADRACE_ROOT.href + ${JSON.stringify(file)})`)
          .replaceAll("import.meta.main", String(file === entry));
        return { contents, loader: "ts" };
      });
    },
  };
}

/** All but the newest, and what was left half-made. Who still runs from one of them has read it. */
function removeOthers(folder: string): void {
  const names = readdirSync(BUNDLES).filter((name) => name !== "lock" && name !== basename(folder));
  const newestFirst = names
    .map((name) => ({ path: join(BUNDLES, name), at: statSync(join(BUNDLES, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  const whole = newestFirst.filter(({ path }) => isWhole(path));
  const kept = new Set(whole.slice(0, BUNDLES_KEPT - 1));
  for (const other of newestFirst) if (!kept.has(other)) rmSync(other.path, { recursive: true, force: true });
}
