import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, TOOLCHAIN } from "../../../scripts/bootstrap.js";
import { ensureBundle } from "../../../scripts/bundle.js";

/** Bundles like the present one but for the agent in them. As deep as that one, since a bundle finds the checkout so. */
export class Bundles {
  readonly #folder = join(TOOLCHAIN, `bundles-of-test-${process.pid}`);

  /** @param change makes the program of its agent @returns the server's program */
  async with(name: string, change: (agent: string) => string): Promise<string> {
    const present = await ensureBundle(process.execPath);
    if (present === null) throw new Error(`no bundle can be made in ${ROOT}`);
    const bundle = join(this.#folder, name);
    mkdirSync(bundle, { recursive: true });
    for (const program of ["headrace.cjs", "supervisor.cjs"])
      copyFileSync(join(present, program), join(bundle, program));
    writeFileSync(join(bundle, "agent.cjs"), change(readFileSync(join(present, "agent.cjs"), "utf8")));
    return join(bundle, "headrace.cjs");
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
