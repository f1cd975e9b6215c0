import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { ROOT, TOOLCHAIN } from "./bootstrap.js";
import { runExclusive } from "./exclusive.js";
import { SetupError } from "./python-interpreter.ts";

export const REQUIREMENTS = join(ROOT, "scripts", "python-requirements.txt");

/** Where `python -m sglang.launch_server` finds the simulated engine. */
export const SIMULATED_MODULES = join(ROOT, "agents", "engine-sim", "python");

/**
 * The Python environment of the demo and the tests: the real router from PyPI, and the simulated engine in the place of
 * the real `sglang`. Made on the first call (about half a minute), found in under a millisecond afterwards.
 *
 * @returns the folder to put first on PATH
 * @throws SetupError when it cannot be made; what is in the way has been printed by then
 */
export async function ensurePython(): Promise<{ bin: string }> {
  const folder = environmentFolder();
  if (!environmentStands(folder)) {
    mkdirSync(TOOLCHAIN, { recursive: true });
    const maker = [process.execPath, "--disable-warning=ExperimentalWarning", join(ROOT, "scripts", "make-python.ts")];
    const waiting = "Another process is setting up Python in this checkout; waiting for it ...";
    const status = await runExclusive(join(TOOLCHAIN, "python.lock"), waiting, maker);
    if (status !== 0) throw new SetupError("Without its Python environment nothing was started.");
  }
  return { bin: join(folder, "bin") };
}

/**
 * A new set of pins gets a new folder, so that one in use is never changed. Links are followed, since checkouts that
 * share a toolchain by a link must agree on the absolute paths in it.
 */
export function environmentFolder(): string {
  const pins = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  return join(existsSync(TOOLCHAIN) ? realpathSync(TOOLCHAIN) : TOOLCHAIN, `python-${pins}`);
}

export function environmentStands(folder: string): boolean {
  const stamp = stampFile(folder);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === stampText(folder);
}

export function stampFile(folder: string): string {
  return join(folder, ".headrace-installed");
}

/**
 * An environment holds absolute paths and the version of its interpreter, so it is made again when the checkout has
 * moved or the interpreter behind it is another.
 */
export function stampText(folder: string): string {
  const python = join(folder, "bin", "python3");
  return `${folder}\n${existsSync(python) ? realpathSync(python) : "no interpreter"}\n`;
}
