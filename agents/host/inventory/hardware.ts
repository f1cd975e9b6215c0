import { findAmd, readAmd } from "./amd.ts";
import type { AcceleratorReading, AcceleratorsFound, FoundAccelerator } from "./found.ts";
import { type FoundNic, findNics, type NicReading, readNic } from "./nics.ts";
import { findNvidia, readNvidia } from "./nvidia.ts";
import { listAccelerators } from "./pci.ts";
import type { Trees } from "./tree.ts";

/** The accelerators and NICs of a machine: what changes with its drivers and cables, not from one moment to the next. */
export interface Hardware {
  accelerators: FoundAccelerator[];
  nics: FoundNic[];
  /** Whether programs can have connections set up for them; EFA does without. */
  hasRdmaCm: boolean;
  warnings: string[];
}

/** How its parts do at a moment. */
export interface Readings {
  /** By PCI address. */
  accelerators: Map<string, AcceleratorReading>;
  /** By `nicKey`. */
  nics: Map<string, NicReading>;
}

export const nicKey = ({ name, port }: { name: string; port: number }) => `${name}/${port}`;

/**
 * Finds what the machine has.
 * @param tool the program `nvidia-smi`; null: not to be asked
 */
export async function findHardware(trees: Trees, tool: string | null): Promise<Hardware> {
  const functions = await listAccelerators(trees.sys);
  const nvidia = await findNvidia(trees, tool, functions);
  const found = ofOneVendor(nvidia, await findAmd(trees, functions));
  const nics = await findNics(trees);
  return { ...found, nics, hasRdmaCm: (await trees.dev.list("infiniband")).includes("rdma_cm") };
}

/** The vendors number their devices apart, and an index must name one device. */
function ofOneVendor(nvidia: AcceleratorsFound, amd: AcceleratorsFound): AcceleratorsFound {
  const warnings = [...nvidia.warnings, ...amd.warnings];
  if (nvidia.accelerators.length === 0) return { accelerators: amd.accelerators, warnings };
  if (amd.accelerators.length > 0) {
    warnings.push("this host has NVIDIA and AMD accelerators; only NVIDIA's are offered");
  }
  return { accelerators: nvidia.accelerators, warnings };
}

/** Reads how these parts do. What it cannot tell of a part it leaves out of the reading. */
export async function readHardware(
  trees: Trees,
  tool: string | null,
  known: Pick<Hardware, "accelerators" | "nics">,
): Promise<Readings> {
  const hasNvidia = known.accelerators.some(({ vendor }) => vendor === "nvidia");
  const nvidia = hasNvidia ? await readNvidia(tool) : null;
  const accelerators: Readings["accelerators"] = new Map();
  for (const { vendor, bus } of known.accelerators) {
    if (vendor === "amd") accelerators.set(bus, await readAmd(trees.sys, bus));
    else if (nvidia !== null)
      accelerators.set(bus, nvidia.get(bus) ?? { present: false, uncorrected: null, heat: null });
    else {
      const present = (await trees.proc.read(`driver/nvidia/gpus/${bus}/information`)) !== null;
      accelerators.set(bus, { present, uncorrected: null, heat: null });
    }
  }
  const nics: Readings["nics"] = new Map();
  for (const nic of known.nics) nics.set(nicKey(nic), await readNic(trees.sys, nic));
  return { accelerators, nics };
}
