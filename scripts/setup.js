// The slow part of the bootstrap: fetches Node and the dependencies. Runs on any Node from 18, under the set-up's lock.
// Nothing it makes is found before it is whole, so it can be killed at any moment and run again.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  DEPENDENCIES_STAMP,
  dependenciesStand,
  dependenciesWanted,
  NODE_PACKAGE,
  NODE_PREFIX,
  NODE_VERSION,
  nodeFolder,
  ROOT,
} from "./bootstrap.js";

/**
 * How long the registry may take to name one version. npm itself retries for over a minute; a user without network
 * should read so at once.
 */
const REGISTRY_ANSWER_MS = 15_000;

/** How long one npm command may take: tens of megabytes over a slow line, yet not for ever. */
const INSTALL_MS = 15 * 60_000;

/** An obstacle that the user can remove; its message says how. */
class SetupError extends Error {}

try {
  const folder = nodeFolder() ?? installNode();
  if (!dependenciesStand()) installDependencies(folder);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function installNode() {
  process.stderr.write(`Setting up Node ${NODE_VERSION} (this machine has ${process.versions.node}) ...\n`);
  const wanted = `${NODE_PACKAGE}@${NODE_VERSION}`;
  requireRegistry(process.execPath, wanted);
  const partial = `${NODE_PREFIX}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, "package.json"), '{"private":true}\n');
  npm(process.execPath, ["install", "--no-save", "--no-package-lock", "--ignore-scripts", wanted], partial);
  const node = join(partial, "node_modules", NODE_PACKAGE, "bin", "node");
  const runs = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (runs.status !== 0) {
    const reason = (runs.error?.message ?? runs.stderr).trim();
    throw new SetupError(
      `Node ${NODE_VERSION} was fetched but does not run on this machine: ${reason}\nIt needs Linux with glibc 2.28 or later, or macOS. Where Node 24 is installed by other means, Headrace uses that.`,
    );
  }
  rmSync(NODE_PREFIX, { recursive: true, force: true });
  renameSync(partial, NODE_PREFIX);
  return /** @type {string} */ (nodeFolder());
}

/**
 * Installs exactly what package-lock.json names. No package may run scripts: none that we use needs to.
 *
 * @param {string} folder of the Node that installs
 */
function installDependencies(folder) {
  process.stderr.write("Installing dependencies ...\n");
  const node = join(folder, "node");
  requireRegistry(node, "zod");
  rmSync(DEPENDENCIES_STAMP, { force: true });
  npm(node, ["ci", "--ignore-scripts"], ROOT, folder);
  writeFileSync(`${DEPENDENCIES_STAMP}.tmp`, dependenciesWanted());
  renameSync(`${DEPENDENCIES_STAMP}.tmp`, DEPENDENCIES_STAMP);
}

/**
 * Asks for one small answer before anything large, through npm, so that its registry, proxy and certificate settings
 * count.
 *
 * @param {string} node
 * @param {string} name
 */
function requireRegistry(node, name) {
  const done = runNpm(node, ["view", name, "version", "--fetch-retries=0"], ROOT, undefined, REGISTRY_ANSWER_MS);
  if (done.status === 0) return;
  const said = done.signal ? `no answer within ${REGISTRY_ANSWER_MS / 1000} s` : lastLines(done, 4);
  throw new SetupError(
    `The npm registry cannot be reached (${said}).\nSet-up needs the network once. Check it, or npm's own settings (npm config get registry, npm config get https-proxy), and run the same command again.`,
  );
}

/**
 * @param {string} node
 * @param {string[]} args
 * @param {string} cwd
 * @param {string} [folder] put first on PATH
 */
function npm(node, args, cwd, folder) {
  const done = runNpm(node, [...args, "--no-audit", "--no-fund"], cwd, folder, INSTALL_MS);
  if (done.status === 0) return;
  const said = done.signal ? `it was stopped after ${INSTALL_MS / 60_000} min` : lastLines(done, 15);
  throw new SetupError(
    `npm ${args[0]} failed:\n${said}\nNothing half-made is left in use; run the same command again.`,
  );
}

/** npm runs on the Node named, whatever its own first line says: Debian's asks for /usr/bin/node. */
function runNpm(node, args, cwd, folder, limitMs) {
  const path = folder ? folder + delimiter + process.env.PATH : process.env.PATH;
  const program = npmProgram();
  const [file, ...rest] = program.endsWith(".js") ? [node, program, ...args] : [program, ...args];
  const env = { ...process.env, PATH: path, npm_config_update_notifier: "false" };
  return spawnSync(file, rest, { cwd, env, encoding: "utf8", timeout: limitMs, killSignal: "SIGKILL" });
}

function npmProgram() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const found = join(folder, "npm");
    if (folder && existsSync(found)) return realpathSync(found);
  }
  throw new SetupError("npm was not found. Install it (Debian: apt-get install npm) and run the same command again.");
}

function lastLines(done, count) {
  const said = done.error ? done.error.message : `${done.stdout}\n${done.stderr}`;
  const lines = said
    .split("\n")
    .filter((line) => line.trim() && !/^npm (warn|WARN)|A complete log of this run/.test(line));
  return lines.slice(-count).join("\n");
}
