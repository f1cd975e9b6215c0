// @ts-check

// Puts the project's own Node first and starts a script on it.
//
// Plain JavaScript for Node 18 and later: it runs before anything is installed, on whatever Node the machine has. npm
// chooses packages by the Node that runs it, so dependencies are only ever installed by the Node this file provides.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExclusive } from "./exclusive.js";

/** The one Node version that the project is built, tested and run on. */
export const NODE_VERSION = "24.21.0";

/** The npm package that holds Node's binary; the one named `node` needs an install script to fetch one of these. */
export const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What set-up makes, all of it; deleting the folder undoes it. */
export const TOOLCHAIN = join(ROOT, ".toolchain");

export const NODE_PREFIX = join(TOOLCHAIN, `node-${NODE_VERSION}`);

/** Written after a whole install of the dependencies; `npm ci` removes it together with what it stands for. */
export const DEPENDENCIES_STAMP = join(ROOT, "node_modules", ".headrace-installed");

/**
 * Runs `script` (a path inside the checkout) on the project's Node with the dependencies installed, and ends this
 * process with its exit code. Signals sent to this process reach the script.
 *
 * @param {string} script path relative to the checkout
 * @param {string[]} args arguments of the script
 */
export async function runOnProjectNode(script, args) {
  const folder = await setUp();
  becomeNode(folder, ["--disable-warning=ExperimentalWarning", "--", join(ROOT, script), ...args], {});
}

/**
 * Sees to the project's Node and the dependencies; ends this process when they cannot be had.
 *
 * @returns {Promise<string>} the folder of the Node to use
 */
export async function setUp() {
  if (!nodeFolder() || !dependenciesStand()) {
    mkdirSync(TOOLCHAIN, { recursive: true });
    const setup = [process.execPath, join(ROOT, "scripts", "setup.js")];
    const waiting = "Another set-up is running in this checkout; waiting for it ...";
    const status = await runExclusive(join(TOOLCHAIN, "setup.lock"), waiting, setup);
    if (status !== 0) process.exit(status);
  }
  return /** @type {string} */ (nodeFolder());
}

/** @returns {string | null} the folder of the Node to use, null when it has to be set up first */
export function nodeFolder() {
  if (process.versions.node.split(".")[0] === NODE_VERSION.split(".")[0]) return dirname(process.execPath);
  const folder = join(NODE_PREFIX, "node_modules", NODE_PACKAGE, "bin");
  return existsSync(join(folder, "node")) ? folder : null;
}

/** What the stamp of a whole install says; it changes when the lock file or the Node does. */
export function dependenciesWanted() {
  const lock = readFileSync(join(ROOT, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${NODE_VERSION}\n`;
}

export function dependenciesStand() {
  return existsSync(DEPENDENCIES_STAMP) && readFileSync(DEPENDENCIES_STAMP, "utf8") === dependenciesWanted();
}

/**
 * PATH with the Node to use first. Where it is first already PATH stays as it is: an agent's jobs inherit it, and what
 * else lies beside that Node (the system's Python, say) must not come before what the user has put first.
 *
 * @param {string} folder of the Node to use
 */
export function pathWith(folder) {
  const path = process.env.PATH ?? "";
  const first = path.split(delimiter).find((entry) => entry !== "" && existsSync(join(entry, "node")));
  const isFirst = first !== undefined && realpathSync(join(first, "node")) === realpathSync(join(folder, "node"));
  return isFirst ? path : folder + delimiter + path;
}

/**
 * Becomes Node where a process can become another (22.15 and later): one process less, and every signal arrives by
 * itself. Elsewhere this process stays in front of it.
 *
 * @param {string} folder of the Node to use
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment added to this process's
 */
export function becomeNode(folder, args, environment) {
  const program = join(folder, "node");
  const env = { ...process.env, PATH: pathWith(folder), ...environment };
  if (process.execve && process.platform !== "win32") {
    process.execve(program, [program, ...args], env);
    return;
  }
  const child = spawn(program, args, { stdio: "inherit", env });
  // The terminal sends Ctrl-C to the whole group; a signal sent to this process alone is passed on. Either way the
  // script decides when to end, so this process must not end before it.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(
      `${program} does not start: ${error.message}. Remove ${TOOLCHAIN} and run the same command again.\n`,
    );
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 1)));
}
