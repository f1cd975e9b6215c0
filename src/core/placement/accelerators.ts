import type { GpuSpec } from "../../spec/types.ts";
import { type Accelerator, DISTANCES } from "../../wire/index.ts";

/**
 * Compute capability of NVIDIA accelerators by name (https://developer.nvidia.com/cuda-gpus). An accelerator that is
 * not named here has no known capability and does not satisfy a spec that asks for one.
 */
const COMPUTE_CAPABILITY: [name: string, capability: [number, number]][] = [
  ["B300", [10, 3]],
  ["B200", [10, 0]],
  ["GB200", [10, 0]],
  ["H200", [9, 0]],
  ["H100", [9, 0]],
  ["H20", [9, 0]],
  ["GH200", [9, 0]],
  ["L40S", [8, 9]],
  ["L40", [8, 9]],
  ["L4", [8, 9]],
  ["A100", [8, 0]],
  ["A30", [8, 0]],
  ["A40", [8, 6]],
  ["A10G", [8, 6]],
  ["A10", [8, 6]],
  ["T4", [7, 5]],
  ["V100", [7, 0]],
];

/** Whether one accelerator is of the kind asked for. Count and total memory are not looked at. */
export function acceleratorMatches(spec: GpuSpec, accelerator: Accelerator): boolean {
  if (spec.vendor && spec.vendor !== accelerator.vendor) return false;
  if (spec.names.length > 0 && !spec.names.some((name) => isNamed(accelerator, name))) return false;
  if (spec.memory && accelerator.memoryGib < spec.memory.min) return false;
  if (spec.computeCapability && !atLeast(capabilityOf(accelerator), spec.computeCapability)) return false;
  return true;
}

/** `H100` names `H100` and `NVIDIA H100 80GB HBM3`, never `GH100`. */
function isNamed(accelerator: Accelerator, name: string): boolean {
  const wanted = name.toLowerCase();
  const has = accelerator.name.toLowerCase();
  return has === wanted || has.split(/[^a-z0-9]+/).includes(wanted);
}

function capabilityOf(accelerator: Accelerator): [number, number] | null {
  return COMPUTE_CAPABILITY.find(([name]) => isNamed(accelerator, name))?.[1] ?? null;
}

function atLeast(has: [number, number] | null, wanted: [number, number]): boolean {
  if (!has) return false;
  return has[0] > wanted[0] || (has[0] === wanted[0] && has[1] >= wanted[1]);
}

/** What a person would write for it: `1 x H200`, `8 x H100 or A100 with 80 GB`. */
export function describeGpu(spec: GpuSpec): string {
  const parts = [
    `${spec.count.min} x ${spec.names.length > 0 ? spec.names.join(" or ") : (spec.vendor ?? "accelerator")}`,
  ];
  if (spec.memory) parts.push(`with at least ${spec.memory.min} GB`);
  if (spec.totalMemory) parts.push(`with at least ${spec.totalMemory.min} GB together`);
  return parts.join(" ");
}

/**
 * What accelerators of one block should have in common, the most important first: the model, since the slowest decides;
 * the NUMA node; the nearest NICs, so that they sit under one switch.
 */
const IN_COMMON: ((accelerator: Accelerator) => string)[] = [
  ({ name, memoryGib }) => `${name} ${memoryGib}`,
  ({ device }) => String(device?.numa),
  ({ device }) => device?.near?.nics.toSorted().join(" ") ?? "",
];

/**
 * Chooses a part of a host's free accelerators for one job: as few models, NUMA nodes and switches as can be, of those
 * that have room the one with the least, so that larger jobs find whole ones; then those with NICs nearest to them; then
 * the lowest. The same accelerators give the same choice in whatever order they come.
 * @param count at most as many as there are
 * @returns them, by index
 */
export function chooseBlock(free: readonly Accelerator[], count: number): Accelerator[] {
  const ordered = free.toSorted((a, b) => nearness(a) - nearness(b) || a.index - b.index);
  return pickFew(ordered, count, IN_COMMON).sort((a, b) => a.index - b.index);
}

function pickFew(items: Accelerator[], count: number, levels: typeof IN_COMMON): Accelerator[] {
  const [inCommon, ...finer] = levels;
  if (inCommon === undefined) return items.slice(0, count);
  let groups = [...Map.groupBy(items, inCommon).values()];
  const picked: Accelerator[] = [];
  while (picked.length < count && groups.length > 0) {
    const missing = count - picked.length;
    const withRoom = groups.filter((group) => group.length >= missing);
    // The first of equals, which are in the order of the items.
    const chosen =
      withRoom.length > 0
        ? withRoom.reduce((best, group) => (group.length < best.length ? group : best))
        : groups.reduce((best, group) => (group.length > best.length ? group : best));
    picked.push(...pickFew(chosen, Math.min(missing, chosen.length), finer));
    groups = groups.filter((group) => group !== chosen);
  }
  return picked;
}

/** 0: beside a NIC of the fabric, or there is none at all. */
function nearness({ device }: Accelerator): number {
  return device?.near ? DISTANCES.indexOf(device.near.distance) : 0;
}
