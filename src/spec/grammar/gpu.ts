import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { GpuSpec, Range, Vendor } from "../types.ts";
import { vendorOfNames, vendorOfWord } from "./gpu-names.ts";
import { readMemory } from "./memory.ts";
import { readInteger } from "./number.ts";
import { readRange } from "./range.ts";

/** More than any host has. */
const MAX_GPUS = 1024;

/** No `gpu` at all: none required, any allowed. */
export const noGpu: GpuSpec = {
  vendor: null,
  names: [],
  count: { min: 0, max: null },
  memory: null,
  totalMemory: null,
  computeCapability: null,
};

/** What a written `gpu` asks for when it gives no count. */
const defaultGpuCount: Range = { min: 1, max: null };

const forms = "write for example `H100:8`, `24GB..`, `A100,H100:80GB:4` or `amd:MI300X:8`";

/**
 * A count, or parts between colons in any order, each kind at most once:
 * a vendor (`amd`), names (`A100,H100`), memory of each with its unit (`24GB..`), a count (`8`, `1..4`).
 */
export function readGpu(written: string | number): Result<GpuSpec> {
  if (typeof written === "number") return countOnly(written);
  const found: { vendor?: Vendor; names?: string[]; memory?: Range; count?: Range } = {};
  for (const token of written.replace(/\s+/g, "").split(":")) {
    if (token === "") return bad(`${quote(written)} has an empty part; ${forms}.`);
    const part = readPart(token);
    if (!part.ok) return part;
    const [kind] = Object.keys(part.value) as (keyof typeof found)[];
    if (kind !== undefined && found[kind] !== undefined) {
      return bad(`${quote(written)} gives ${kindNames[kind]} twice; keep one (${forms}).`);
    }
    Object.assign(found, part.value);
  }
  return good(completeGpu(found));
}

const kindNames = { vendor: "a vendor", names: "names", memory: "memory", count: "a count" };

type Part = { vendor: Vendor } | { names: string[] } | { memory: Range } | { count: Range };

function readPart(token: string): Result<Part> {
  const vendor = vendorOfWord(token);
  if (vendor !== null) return good({ vendor });
  if (/^[a-zA-Z]/.test(token)) {
    const names = readGpuNames(token);
    if (!names.ok) return names;
    const misplaced = names.value.find((name) => vendorOfWord(name) !== null);
    if (misplaced !== undefined)
      return bad(`${quote(misplaced)} is a vendor, not a name; write \`${misplaced}:NAME\`.`);
    return good({ names: names.value });
  }
  if (/[a-zA-Z]/.test(token)) {
    const memory = readRange(token, readMemory);
    return memory.ok ? good({ memory: memory.value }) : memory;
  }
  const count = readRange(token, readGpuCount);
  return count.ok ? good({ count: count.value }) : count;
}

function countOnly(written: number): Result<GpuSpec> {
  const count = readGpuCount(written);
  return count.ok ? good({ ...noGpu, count: { min: count.value, max: count.value } }) : count;
}

export function readGpuCount(written: string | number): Result<number> {
  return readInteger(
    written,
    `a number without unit is a count of accelerators, 0 to ${MAX_GPUS}; ${forms}`,
    0,
    MAX_GPUS,
  );
}

/** Fills in what follows from the rest: the vendor of the names, and a count of at least one. */
export function completeGpu(given: {
  vendor?: Vendor | null;
  names?: string[];
  count?: Range | null;
  memory?: Range | null;
  totalMemory?: Range | null;
  computeCapability?: [number, number] | null;
}): GpuSpec {
  const tpuNamed = (given.names ?? []).some((name) => /^tpu-/i.test(name));
  const names = (given.names ?? []).map((name) => name.replace(/^tpu-/i, ""));
  return {
    vendor: given.vendor ?? (tpuNamed ? "google" : vendorOfNames(names)),
    names,
    count: given.count ?? defaultGpuCount,
    memory: given.memory ?? null,
    totalMemory: given.totalMemory ?? null,
    computeCapability: given.computeCapability ?? null,
  };
}

/** Names between commas, any of which will do. */
export function readGpuNames(written: string): Result<string[]> {
  const names = written.split(",").map((name) => name.trim());
  if (!names.includes("")) return good(names);
  return bad(`${quote(written)} has an empty name; write the names as \`A100,H100\`.`);
}

/** One of the numbers of `[7, 5]`. */
export function readCapabilityPart(written: string | number): Result<number> {
  return readInteger(written, "a compute capability has two numbers, for example `[9, 0]`", 0, 999);
}

/** `7.5`. */
export function readComputeCapability(written: string | number): Result<[number, number]> {
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(String(written));
  if (match === null) return bad(`${quote(written)} is no compute capability; write for example \`9.0\`.`);
  return good([Number(match[1]), Number(match[2] ?? 0)]);
}
