import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dependenciesWanted, ROOT } from "./bootstrap.js";

/** In a mount namespace of its own; as a normal user that needs a user namespace around it. */
const OWN_MOUNTS = ["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"])];

/** Stands before esbuild and keeps count. */
const COUNTING_ESBUILD = `
const real = require(${JSON.stringify(join(ROOT, "node_modules", "esbuild"))});
exports.build = (options) => {
  require("node:fs").appendFileSync(${JSON.stringify("LOG")}, options.entryPoints[0] + "\\n");
  return real.build(options);
};`;

const BUILT = ["agents/host/main.ts", "agents/host/runtime/process/supervisor.ts", "src/cli/main.ts"];

/** A checkout in a folder of its own, whose programs are small. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "headrace-bundle-"));
  for (const part of ["bin", "scripts", "package.json", "package-lock.json"])
    cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
  for (const entry of BUILT) source(entry, "");
  source("src/cli/word.ts", 'export const WORD: string = "first";');
  source(
    "src/cli/main.ts",
    `import { WORD } from "./word.ts";
     declare const HEADRACE_BUNDLE: string;
     const from = typeof HEADRACE_BUNDLE === "string" ? "bundle" : "sources";
     console.log(from, WORD, import.meta.main, import.meta.url, ...process.argv.slice(2));`,
  );
  mkdirSync(join(checkout, "node_modules", "esbuild"), { recursive: true });
  writeFileSync(join(checkout, "node_modules", ".headrace-installed"), dependenciesWanted());
  const counting = COUNTING_ESBUILD.replace("LOG", join(checkout, "built"));
  writeFileSync(join(checkout, "node_modules", "esbuild", "index.js"), counting);
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function source(path: string, text: string) {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

function headrace(before: string[] = []): SpawnSyncReturns<string> {
  const [program = "", ...args] = [...before, process.execPath, "bin/headrace.js", "two words"];
  return spawnSync(program, args, { cwd: checkout, encoding: "utf8" });
}

function says(from: "bundle" | "sources", word: string) {
  const main = pathToFileURL(join(checkout, "src/cli/main.ts")).href;
  return { status: 0, stderr: "", stdout: `${from} ${word} true ${main} two words\n` };
}

/** The entries that were bundled so far. */
function built(): string[] {
  const log = join(checkout, "built");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").sort() : [];
}

const bundles = () => join(checkout, ".toolchain", "bundles");
/** Their folders, and what else is left there. */
const kept = () => readdirSync(bundles()).filter((name) => name !== "lock");

it("is made at the first start and used from then on, and tells of its sources", () => {
  expect(headrace()).toMatchObject(says("bundle", "first"));
  expect(headrace()).toMatchObject(says("bundle", "first"));
  expect(built()).toEqual(BUILT);
});

it("means what its sources mean, in patterns and texts beyond ASCII too", () => {
  source("src/cli/word.ts", 'export const WORD = ["✓", /^(✘|😀)+$/u.test("😀✘"), "é".length].join(" ");');
  expect(headrace()).toMatchObject(says("bundle", "✓ true 1"));
});

it("is made once when several start at once", async () => {
  const starts = [1, 2, 3, 4].map(async () => {
    const child = spawn(process.execPath, ["bin/headrace.js"], { cwd: checkout });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    await once(child, "close");
    return output;
  });
  for (const output of await Promise.all(starts)) expect(output).toMatch(/^bundle first .*\n$/);
  expect(built()).toEqual(BUILT);
  expect(kept()).toHaveLength(1);
});

it("follows each change of a source, and knows an earlier state again", () => {
  headrace();
  source("src/cli/word.ts", 'export const WORD: string = "second";');
  expect(headrace()).toMatchObject(says("bundle", "second"));
  source("src/cli/word.ts", 'export const WORD: string = "first";');
  expect(headrace()).toMatchObject(says("bundle", "first"));
  expect(built()).toHaveLength(2 * BUILT.length);
});

it("keeps the newest few", () => {
  for (const word of ["1", "2", "3", "4", "5", "6"]) {
    source("src/cli/word.ts", `export const WORD: string = "${word}";`);
    expect(headrace()).toMatchObject(says("bundle", word));
  }
  expect(kept()).toHaveLength(4);
});

it.each<[string, (folder: string) => void]>([
  ["has lost its end", (folder) => truncateSync(join(folder, "headrace.cjs"), 100)],
  ["lacks a program", (folder) => rmSync(join(folder, "supervisor.cjs"))],
  ["does not say what it consists of", (folder) => writeFileSync(join(folder, "files.json"), '{"headrace')],
])("is made anew when it %s", (_, spoil) => {
  headrace();
  const [folder] = kept() as [string];
  spoil(join(bundles(), folder));
  expect(headrace()).toMatchObject(says("bundle", "first"));
  expect(built()).toHaveLength(2 * BUILT.length);
  expect(kept()).toEqual([folder]);
});

it("is not taken for made when its making was broken off, and what that left is removed", () => {
  mkdirSync(join(bundles(), "partial-1"), { recursive: true });
  writeFileSync(join(bundles(), "partial-1", "headrace.cjs"), "console.log('half");
  expect(headrace()).toMatchObject(says("bundle", "first"));
  expect(kept()).toHaveLength(1);
  expect(kept()).not.toContain("partial-1");
});

/** The checkout as one that cannot be written. */
const readOnly = () =>
  headrace([
    ...OWN_MOUNTS,
    ...["sh", "-c", 'mount --bind . . && mount -o remount,bind,ro "$PWD" && cd "$PWD" && exec "$0" "$@"'],
  ]);

it("is done without in a checkout that cannot be written, but for one that is there", () => {
  expect(readOnly()).toMatchObject(says("sources", "first"));
  expect(existsSync(join(checkout, ".toolchain"))).toBe(false);
  headrace();
  expect(readOnly()).toMatchObject(says("bundle", "first"));
  source("src/cli/word.ts", 'export const WORD: string = "second";');
  expect(readOnly()).toMatchObject(says("sources", "second"));
});

it("is done without where there is no esbuild", () => {
  rmSync(join(checkout, "node_modules", "esbuild"), { recursive: true });
  expect(headrace()).toMatchObject(says("sources", "first"));
});

it("leaves it to the sources to say what is wrong with them", () => {
  source("src/cli/word.ts", "export const WORD = ;");
  const { status, stderr } = headrace();
  expect(status).toBe(1);
  expect(stderr).toContain("word.ts");
  expect(kept()).toEqual([]);
});

it("finds packages that are not bundled where they are", () => {
  symlinkSync(join(ROOT, "node_modules", "libsql"), join(checkout, "node_modules", "libsql"));
  source("src/cli/main.ts", 'import Database from "libsql"; console.log(new Database(":memory:").open);');
  expect(headrace()).toMatchObject({ status: 0, stderr: "", stdout: "true\n" });
  expect(kept()).toHaveLength(1);
});
