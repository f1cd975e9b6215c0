import type { Smg } from "../smg.ts";
import type { World } from "../world.ts";

/** What docs/recovery.md promises for the only worker of a role, and half as much again. */
const SHUT_OUT_MS_MAX = 4_500;

/** A router does not go on shutting out a worker that serves because of failures that are long past. */
export function sentToWhenBack(world: World, smg: Smg): string | null {
  const { process } = smg;
  for (const { url, openedAt } of smg.shutOut()) {
    const forMs = world.timeline.now - openedAt;
    if (forMs > SHUT_OUT_MS_MAX && world.reach(process.machine, url)?.serves) {
      return `${process.job} sends nothing to ${url}, which serves, ${forMs} ms after its last failure`;
    }
  }
  return null;
}
