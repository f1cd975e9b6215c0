import * as z from "zod";
import { defaultCpuCount, readArch, readCpu, readCpuCount } from "../grammar/cpu.ts";
import {
  completeGpu,
  noGpu,
  readCapabilityPart,
  readComputeCapability,
  readGpu,
  readGpuCount,
  readGpuNames,
} from "../grammar/gpu.ts";
import { vendorOfWord } from "../grammar/gpu-names.ts";
import { readMemory } from "../grammar/memory.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { ResourcesSpec, Vendor } from "../types.ts";
import { mapping, optional, scalarOf, textOf } from "./fields.ts";
import { rangeOf } from "./ranges.ts";

const memoryRange = rangeOf(readMemory, "16GB");

const cpu = z.union([
  scalarOf(readCpu),
  mapping("cpu", {
    arch: optional(scalarOf(readArch), null, { description: "The architecture, x86 or arm", examples: ["arm"] }),
    count: optional(rangeOf(readCpuCount, 4), defaultCpuCount, { description: "How many CPUs", examples: ["4..8"] }),
  }),
  rangeOf(readCpuCount, 4).transform((range) => ({ arch: null, count: range })),
]);

const capability = z.union([
  scalarOf(readComputeCapability),
  z.tuple([scalarOf(readCapabilityPart), scalarOf(readCapabilityPart)]),
]);

const gpuMapping = mapping("gpu", {
  vendor: optional(textOf(readVendor), null, { description: "Who makes the accelerator", examples: ["nvidia"] }),
  name: optional(
    z.union([textOf(readGpuNames), z.array(textOf(readGpuNames)).transform((lists) => lists.flat())]),
    [],
    {
      description: "Names of accelerators that will do",
      examples: ["H100", ["H100", "H200"]],
    },
  ),
  count: optional(rangeOf(readGpuCount, 1), null, {
    description: "How many accelerators per replica",
    examples: [8, "1..8"],
  }),
  memory: optional(memoryRange, null, { description: "Memory of each accelerator", examples: ["80GB.."] }),
  total_memory: optional(memoryRange, null, {
    description: "Memory of all accelerators together",
    examples: ["640GB.."],
  }),
  compute_capability: optional(capability, null, {
    description: "The least CUDA compute capability",
    examples: ["9.0"],
  }),
}).transform(({ name, total_memory, compute_capability, ...rest }) =>
  completeGpu({
    ...rest,
    names: name,
    totalMemory: total_memory,
    computeCapability: compute_capability,
  }),
);

const disk = z.union([
  memoryRange,
  mapping("disk", {
    size: optional(memoryRange, { min: 100, max: null }, { description: "Free space", examples: ["200GB.."] }),
  }).transform(({ size }) => size),
]);

/** What one job needs of its host. */
export const resources = mapping("resources", {
  cpu: optional(
    cpu,
    { arch: null, count: defaultCpuCount },
    { description: "CPUs and their architecture", examples: [4, "8..", "arm:4..8"] },
  ),
  memory: optional(memoryRange, { min: 8, max: null }, { description: "Main memory", examples: ["16GB..", "512GB.."] }),
  shm_size: optional(scalarOf(readMemory), null, {
    description: "Size of /dev/shm",
    examples: ["16GB"],
  }),
  gpu: optional(z.union([scalarOf(readGpu), gpuMapping]), noGpu, {
    description: "Accelerators, as `vendor:name:memory:count` in any order",
    examples: ["A100,H100:8", "24GB..", "amd:MI300X:8"],
  }),
  disk: optional(disk, { min: 100, max: null }, { description: "Free disk space", examples: ["200GB.."] }),
}).transform(({ shm_size, ...rest }): ResourcesSpec => ({ ...rest, shmSize: shm_size }));

function readVendor(written: string): Result<Vendor> {
  const vendor = vendorOfWord(written);
  if (vendor !== null) return good(vendor);
  return bad(`${quote(written)} is no vendor; write \`nvidia\`, \`amd\`, \`google\`, \`intel\` or \`tenstorrent\`.`);
}
