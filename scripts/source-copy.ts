import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./bootstrap.js";

/** All that a test file may read. */
const COPIED = ["agents", "examples", "migrations", "package.json", "scripts", "src", "test", "vitest.config.ts"];
/** Large, and never written to. */
const LINKED = ["node_modules", ".toolchain"];

/**
 * Runs `work` in a copy of the checkout in which sources may be broken; the checkout itself is never written to. The
 * copy is removed afterwards.
 */
export async function inSourceCopy<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-copy-"));
  try {
    for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
    for (const name of LINKED) await symlink(join(ROOT, name), join(folder, name));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
