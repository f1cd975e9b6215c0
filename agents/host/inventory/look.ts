import type { Log } from "../log.ts";
import { readBootId } from "./boot-id.ts";
import { diskTree, type Trees } from "./tree.ts";
import { HardwareWatch } from "./watch.ts";

/** Where a host's accelerators and NICs are looked for; what is left out or null is the machine's own. */
export interface LookOptions {
  /** Over `/sys`, `/proc` and `/dev`. */
  roots?: { sys?: string | null; proc?: string | null; dev?: string | null };
  /** NVIDIA's tool: a path, or a name on PATH. Where `/sys` is replaced there is none, since it knows this machine. */
  nvidiaSmi?: string | null;
}

/**
 * What looks at the hardware, and the tree that the host's routes are read from.
 * @param file where it remembers what was there; null: nowhere
 */
export function lookAt(
  { roots, nvidiaSmi }: LookOptions,
  file: string | null,
  log: Log,
): { hardware: HardwareWatch; proc: Trees["proc"] } {
  const trees = {
    sys: diskTree(roots?.sys ?? "/sys"),
    proc: diskTree(roots?.proc ?? "/proc"),
    dev: diskTree(roots?.dev ?? "/dev"),
  };
  const tool = nvidiaSmi ?? (roots?.sys ? null : "nvidia-smi");
  return { hardware: new HardwareWatch({ trees, nvidiaSmi: tool, file, bootId: readBootId(), log }), proc: trees.proc };
}
