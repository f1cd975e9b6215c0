// Puts the project's own Node first and starts a script again on it.
//
// Plain JavaScript for Node 18 and later: it runs before anything is installed, on whatever Node the machine has. npm
// chooses packages by the Node that runs it, so dependencies are only ever installed by the Node this file provides.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The one Node version that the project is built, tested and run on. */
export const NODE_VERSION = "24.21.0";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLCHAIN = join(ROOT, ".toolchain");
const NODE_PREFIX = join(TOOLCHAIN, `node-${NODE_VERSION}`);

/** An obstacle that the user can remove; its message says how. */
export class SetupError extends Error {}

/**
 * Runs `script` (a path inside the checkout) on the project's Node with the dependencies installed, and ends this
 * process with its exit code. Signals sent to this process reach the script.
 *
 * @param {string} script path relative to the checkout
 * @param {string[]} args arguments of the script
 */
export function runOnProjectNode(script, args) {
  let nodeDir;
  try {
    nodeDir = ensureNode();
    ensureDependencies(nodeDir);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const child = spawn(join(nodeDir, "node"), ["--disable-warning=ExperimentalWarning", join(ROOT, script), ...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: nodeDir + delimiter + process.env.PATH },
  });
  // The terminal sends Ctrl-C to the whole group; a signal sent to this process alone is passed on. Either way the
  // script decides when to end, so this process must not end before it.
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 1)));
}

/** @returns {string} the folder that holds the `node` and `npm` to use */
function ensureNode() {
  if (process.versions.node.split(".")[0] === NODE_VERSION.split(".")[0]) return dirname(process.execPath);
  // The package named `node` needs an install script to fetch one of these; they hold the same binary without one.
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const bin = join(NODE_PREFIX, "node_modules", name, "bin");
  if (existsSync(join(bin, "node"))) return bin;
  process.stderr.write(`Setting up Node ${NODE_VERSION} (this machine has ${process.versions.node}) ...\n`);
  mkdirSync(NODE_PREFIX, { recursive: true });
  writeFileSync(join(NODE_PREFIX, "package.json"), '{"private":true}\n');
  npm(["install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${NODE_VERSION}`], NODE_PREFIX, process.env.PATH ?? "");
  return bin;
}

/** Installs exactly what package-lock.json names, once for each content of that file. */
function ensureDependencies(nodeDir) {
  const lock = readFileSync(join(ROOT, "package-lock.json"));
  const wanted = `${createHash("sha256").update(lock).digest("hex")} ${NODE_VERSION}\n`;
  const stamp = join(ROOT, "node_modules", ".headrace-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write("Installing dependencies ...\n");
  npm(["ci", "--no-audit", "--no-fund"], ROOT, nodeDir + delimiter + process.env.PATH);
  writeFileSync(`${stamp}.tmp`, wanted);
  renameSync(`${stamp}.tmp`, stamp);
}

function npm(args, cwd, path) {
  const done = spawnSync("npm", args, { cwd, env: { ...process.env, PATH: path }, encoding: "utf8" });
  if (done.status === 0) return;
  if (args[0] === "install") rmSync(cwd, { recursive: true, force: true });
  const said = done.error ? String(done.error.message) : `${done.stdout}${done.stderr}`.trim().split("\n").slice(-15).join("\n");
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT/.test(said);
  throw new SetupError(
    `npm ${args[0]} failed${offline ? ": the npm registry cannot be reached. Check the network or the proxy settings of npm (npm config get registry), then run the same command again" : ""}.\n${said}`,
  );
}
