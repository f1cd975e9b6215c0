import { DISTANCES, type Distance } from "../../../src/wire/index.ts";
import type { PciPlace } from "./pci.ts";

/** Bridges between two devices under one switch: a port of it above each. */
const BRIDGES_OF_ONE_SWITCH = 2;

/** How far two devices are from each other, by the bridges that their paths share. */
export function distance(a: PciPlace, b: PciPlace): Distance {
  let shared = 0;
  while (shared < a.chain.length && a.chain[shared] === b.chain[shared]) shared += 1;
  if (shared === 0) return a.numa !== null && a.numa === b.numa ? "node" : "sys";
  if (shared === 1) return "phb";
  const between = a.chain.length - shared - 1 + (b.chain.length - shared - 1);
  return between <= BRIDGES_OF_ONE_SWITCH ? "pix" : "pxb";
}

/** The NICs that are nearest to an accelerator, the one that it should use first in front. */
export interface Near {
  distance: Distance;
  nics: string[];
}

/**
 * The nearest NICs of each accelerator. Accelerators with the same ones begin with different ones of them, so that two
 * under one switch do not both use its first NIC.
 * @returns null for each where there are no NICs
 */
export function pair(accelerators: PciPlace[], nics: (PciPlace & { name: string })[]): (Near | null)[] {
  const sharers = new Map<string, number>();
  return accelerators.map((accelerator) => {
    const ranked = nics.map((nic) => ({ name: nic.name, rank: DISTANCES.indexOf(distance(accelerator, nic)) }));
    const best = Math.min(...ranked.map(({ rank }) => rank));
    const names = [...new Set(ranked.filter(({ rank }) => rank === best).map(({ name }) => name))];
    const nearest = DISTANCES[best];
    if (nearest === undefined) return null;
    const key = names.join(" ");
    const turn = sharers.get(key) ?? 0;
    sharers.set(key, turn + 1);
    const first = turn % names.length;
    return { distance: nearest, nics: [...names.slice(first), ...names.slice(0, first)] };
  });
}
