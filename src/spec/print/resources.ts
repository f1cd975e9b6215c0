import { defaultCpuCount } from "../grammar/cpu.ts";
import { completeGpu, noGpu } from "../grammar/gpu.ts";
import { vendorOfWord } from "../grammar/gpu-names.ts";
import type { GpuSpec, ResourcesSpec } from "../types.ts";
import { isSame, unless, writeMemory, writeRange } from "./scalars.ts";
import type { Written } from "./yaml.ts";

/** What a job needs, without what it needs anyway; undefined when nothing is left. */
export function writeResources({ cpu, memory, shmSize, gpu, disk }: ResourcesSpec): Written | undefined {
  const written = {
    cpu: unless<string | number>("2..", writeCpu(cpu)),
    memory: unless<string | number>("8GB..", writeRange(memory, writeMemory)),
    shm_size: shmSize === null ? undefined : writeMemory(shmSize),
    gpu: isSame(gpu, noGpu) ? undefined : writeGpu(gpu),
    disk: unless<string | number>("100GB..", writeRange(disk, writeMemory)),
  };
  return Object.values(written).every((value) => value === undefined) ? undefined : written;
}

/** `4..8`, `arm:4..8` or `arm`. */
export function writeCpu({ arch, count }: ResourcesSpec["cpu"]): string | number {
  if (arch === null) return writeRange(count);
  return isSame(count, defaultCpuCount) ? arch : `${arch}:${writeRange(count)}`;
}

/** Names that may stand between colons. */
const COLON_NAME = /^[a-zA-Z][^\s:,]*$/;

/** On one line where that says it all, e.g. `H100:80GB:8`. */
export function writeGpu(gpu: GpuSpec): Written {
  const { count, memory, totalMemory, computeCapability } = gpu;
  // Reading takes one such prefix away.
  const names = gpu.names.map((name) => (/^tpu-/i.test(name) ? `tpu-${name}` : name));
  const vendor = completeGpu({ names }).vendor === gpu.vendor ? undefined : (gpu.vendor ?? undefined);
  const isSimple = names.every((name) => COLON_NAME.test(name) && vendorOfWord(name) === null);
  if (isSimple && totalMemory === null && computeCapability === null) {
    const parts = [
      ...(vendor === undefined ? [] : [vendor]),
      ...(names.length === 0 ? [] : [names.join(",")]),
      ...(memory === null ? [] : [writeRange(memory, writeMemory)]),
    ];
    if (parts.length === 0) return writeRange(count);
    const isAnyCount = isSame(count, { min: 1, max: null });
    return [...parts, ...(isAnyCount ? [] : [writeRange(count)])].join(":");
  }
  return {
    vendor,
    name: names.length > 0 ? names : undefined,
    count: writeRange(count),
    memory: memory === null ? undefined : writeRange(memory, writeMemory),
    total_memory: totalMemory === null ? undefined : writeRange(totalMemory, writeMemory),
    compute_capability: computeCapability ?? undefined,
  };
}
