import type { Vendor } from "../types.ts";

/** The words for each vendor, in lower case. */
const vendorWords = new Map<string, Vendor>([
  ["nvidia", "nvidia"],
  ["amd", "amd"],
  ["google", "google"],
  ["tpu", "google"],
  ["intel", "intel"],
  ["tenstorrent", "tenstorrent"],
  ["tt", "tenstorrent"],
]);

/**
 * How each vendor names its accelerators. Only used to spare writers the vendor where a name leaves no doubt: a name
 * that is not recognised keeps the vendor open and still matches hosts by its name.
 */
const vendorNames: readonly [Vendor, RegExp][] = [
  ["tenstorrent", /^([np]\d{3}[abdls]|n\d{3}|wormhole|blackhole|grayskull)/i],
  ["google", /^(v\d+(e|p|litepod)?-\d+|v\d+(e|p|litepod)|tpu-)/i],
  ["amd", /^(MI\d{2,3}|RX ?\d{4}|Radeon)/i],
  ["intel", /^(gaudi|max ?1\d{3}|arc)/i],
  ["nvidia", /^((G[BH]|[ABHKLMPTV])\d{1,4}|(RTX|GTX)|GeForce|Quadro|Tesla|Titan)/i],
];

/** Reads a word such as `nvidia` or `tpu`, in any case; null when it is no vendor. */
export function vendorOfWord(word: string): Vendor | null {
  return vendorWords.get(word.toLowerCase()) ?? null;
}

/** The vendor that makes all of these; null when unknown or when they differ. */
export function vendorOfNames(names: readonly string[]): Vendor | null {
  const vendors = new Set(names.map(vendorOfName));
  const [vendor] = vendors;
  return vendors.size === 1 ? (vendor ?? null) : null;
}

function vendorOfName(name: string): Vendor | null {
  return vendorNames.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}
