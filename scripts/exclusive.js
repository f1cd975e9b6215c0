// @ts-check

import { spawn, spawnSync } from "node:child_process";

/** How `flock -n` says that another holds the lock; it has other statuses for what it cannot open. */
const LOCKED = 1;

/**
 * Runs `command` while no other process runs one under the same lock file, and resolves with its exit status. What it
 * prints goes to the terminal.
 *
 * The lock is flock(1)'s, held by the command itself: the system frees it when the command ends, however it ends, and a
 * caller that is killed leaves no second set-up to start beside the first. Every Linux has flock; where it is missing
 * (macOS) the command runs without a lock.
 *
 * @param {string} lockFile made when missing; its folder must exist
 * @param {string | null} waiting printed when another holds the lock
 * @param {string[]} command program and arguments
 * @returns {Promise<number>}
 */
export async function runExclusive(lockFile, waiting, command) {
  const probe = spawnSync("flock", ["-n", lockFile, "true"], { stdio: "ignore" });
  const locked = probe.error ? command : ["flock", lockFile, ...command];
  if (waiting !== null && probe.status === LOCKED) process.stderr.write(`${waiting}\n`);
  return await new Promise((resolve, reject) => {
    const child = spawn(/** @type {string} */ (locked[0]), locked.slice(1), {
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
