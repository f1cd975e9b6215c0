import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.js";

/**
 * In front of a command that is to run in fresh network, mount and pid namespaces, all of which are gone when it ends.
 * Root makes them itself; anyone else is root in a user namespace of their own.
 */
export const INTO_NAMESPACES = [
  "unshare",
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
  ...["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
];

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Runs a script in namespaces of its own.
 * @param script its path in the checkout
 * @returns what its last line says as JSON
 * @throws Error with all that it printed when it fails or takes longer
 */
export function runInNamespaces<T>(script: string, args: string[], withinMs: number): T {
  const [unshare = "", ...flags] = INTO_NAMESPACES;
  const done = spawnSync(unshare, [...flags, process.execPath, join(ROOT, script), ...args], {
    encoding: "utf8",
    // What sets up networks is not on everybody's PATH.
    env: { ...process.env, PATH: [process.env.PATH, "/usr/sbin"].join(delimiter) },
    timeout: withinMs,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (done.error || done.status !== 0) {
    throw new Error(`${script} failed: ${done.error ?? ""}\n${done.stdout}\n${done.stderr}`);
  }
  return JSON.parse(done.stdout.trim().split("\n").at(-1) ?? "") as T;
}
