import type { Blocks } from "../../spec/types-fleet.ts";
import type { Accelerator } from "../../wire/index.ts";
import type { FleetEntity, HostEntity } from "../state.ts";
import { chooseBlock } from "./accelerators.ts";

/** Into how many parts the accelerators of a host are divided: what its fleet's file says of it, else of all. */
export function blocksOf({ name, inventory }: HostEntity, fleet: FleetEntity | undefined): Blocks {
  if (!fleet) return "auto";
  const listed = fleet.hosts.kind === "ssh" ? fleet.hosts.hosts : [];
  const own = listed.find(
    ({ hostname, internalIp }) =>
      hostname === name || hostname === inventory.address || internalIp === inventory.address,
  );
  return own?.blocks ?? fleet.settings.blocks;
}

/**
 * The accelerators of a host in equal parts of neighbours; the last is smaller where they cannot be divided. More parts
 * than accelerators are one for each.
 */
export function partsOf(accelerators: readonly Accelerator[], blocks: Blocks): Accelerator[][] {
  const ordered = accelerators.toSorted((a, b) => a.index - b.index);
  const size = blocks === "auto" ? 1 : Math.ceil(ordered.length / blocks);
  const parts: Accelerator[][] = [];
  for (let at = 0; at < ordered.length; at += size) parts.push(ordered.slice(at, at + size));
  return parts;
}

/**
 * As few whole parts as have so many accelerators together, those that belong together best.
 * @param free parts of which all is free and will do
 * @returns null when they have not so many
 */
export function chooseParts(free: readonly Accelerator[][], count: number): Accelerator[] | null {
  const byFirst = new Map(free.map((part) => [part[0] as Accelerator, part]));
  const largest = Math.max(...free.map((part) => part.length));
  for (let parts = Math.ceil(count / largest); parts <= free.length; parts += 1) {
    const chosen = chooseBlock([...byFirst.keys()], parts).flatMap((first) => byFirst.get(first) as Accelerator[]);
    if (chosen.length >= count) return chosen;
  }
  return null;
}
