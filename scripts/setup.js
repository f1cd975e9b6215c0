// @ts-check

// The slow part of the bootstrap: fetches Node and the dependencies. Runs on any Node from 18, under the set-up's lock.
// Nothing it makes is found before it is whole, so it can be killed at any moment and run again.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
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
 * How long the registry may take to name one version. An install without network retries for minutes; its user should
 * read at once what is missing.
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
  const modules = join(ROOT, "node_modules");
  // npm would empty the folder behind the link, from which other checkouts may live.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError(
      `${modules} is a link to ${realpathSync(modules)}, whose packages are not those that this checkout needs.\nRemove the link and run the same command again, or set up the checkout that it belongs to.`,
    );
  }
  process.stderr.write("Installing dependencies ...\n");
  const node = join(folder, "node");
  rmSync(DEPENDENCIES_STAMP, { force: true });
  // Where NODE_ENV says production, npm would leave out what bundles, checks and tests.
  npm(node, ["ci", "--ignore-scripts", "--include=dev"], ROOT, folder);
  writeFileSync(`${DEPENDENCIES_STAMP}.tmp`, dependenciesWanted());
  renameSync(`${DEPENDENCIES_STAMP}.tmp`, DEPENDENCIES_STAMP);
}

/**
 * Installs with npm; without network from npm's cache, when all is there.
 *
 * @param {string} node
 * @param {string[]} args
 * @param {string} cwd
 * @param {string} [folder] put first on PATH
 */
function npm(node, args, cwd, folder) {
  const unreachable = whyRegistryIsUnreachable(node);
  const options = ["--no-audit", "--no-fund", unreachable ? "--offline" : "--prefer-offline"];
  const done = runNpm(node, [...args, ...options], cwd, folder, INSTALL_MS);
  if (done.status === 0) return;
  if (unreachable)
    throw new SetupError(
      `The npm registry cannot be reached: ${unreachable}\nSet-up needs the network once. Check it, or npm's own settings (npm config get registry, npm config get https-proxy), and run the same command again.`,
    );
  const said = done.signal ? `it was stopped after ${INSTALL_MS / 60_000} min` : lastLines(done, 15);
  throw new SetupError(
    `npm ${args[0]} failed:\n${said}\nNothing half-made is left in use; run the same command again.`,
  );
}

/**
 * Asks for one small answer before anything large, through npm, so that its registry, proxy and certificate settings
 * count, and with an empty cache, since npm answers from its cache when the network does not.
 *
 * @param {string} node
 * @returns {string | null} null when it can be reached
 */
function whyRegistryIsUnreachable(node) {
  const cache = mkdtempSync(join(tmpdir(), "headrace-registry-"));
  try {
    const question = ["view", `${NODE_PACKAGE}@${NODE_VERSION}`, "version", "--fetch-retries=0", `--cache=${cache}`];
    const done = runNpm(node, question, ROOT, undefined, REGISTRY_ANSWER_MS);
    if (done.status === 0) return null;
    return done.signal ? `it did not answer within ${REGISTRY_ANSWER_MS / 1000} s.` : lastLines(done, 4);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/**
 * npm runs on the Node named, whatever its own first line says: Debian's asks for /usr/bin/node.
 *
 * @param {string} node
 * @param {string[]} args
 * @param {string} cwd
 * @param {string | undefined} folder put first on PATH
 * @param {number} limitMs
 */
function runNpm(node, args, cwd, folder, limitMs) {
  const path = folder ? folder + delimiter + process.env.PATH : process.env.PATH;
  const program = npmProgram();
  const isScript = program.endsWith(".js");
  const env = { ...process.env, PATH: path, npm_config_update_notifier: "false" };
  return spawnSync(isScript ? node : program, isScript ? [program, ...args] : args, {
    cwd,
    env,
    encoding: "utf8",
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
}

function npmProgram() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const found = join(folder, "npm");
    if (folder && existsSync(found)) return realpathSync(found);
  }
  throw new SetupError("npm was not found. Install it (Debian: apt-get install npm) and run the same command again.");
}

/**
 * What npm said last, without its prefixes, its warnings and where its log lies.
 *
 * @param {import("node:child_process").SpawnSyncReturns<string>} done
 * @param {number} count
 */
function lastLines(done, count) {
  const said = done.error ? done.error.message : `${done.stdout}\n${done.stderr}`;
  const lines = said
    .split("\n")
    .filter((line) => !/^npm warn|^npm (err!|error) +A complete log|-debug-\d+\.log$/i.test(line));
  const plain = lines.map((line) => line.replace(/^npm (err!|error) ?/i, "").trim()).filter((line) => line !== "");
  return plain.slice(-count).join("\n");
}
