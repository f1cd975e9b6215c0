import type { Accelerator, AcceleratorDevice } from "../../../src/wire/index.ts";
import type { PciPlace } from "./pci.ts";

/** An accelerator of this machine that jobs could use. */
export interface FoundAccelerator extends PciPlace {
  vendor: Accelerator["vendor"];
  name: string;
  memoryGib: number;
  /** What names it for good: its PCI address. */
  bus: string;
  driver: string | null;
  uuid: string | null;
  nodes: AcceleratorDevice["nodes"];
}

/** What was found, by PCI address, and what an operator should know of what was not. */
export interface AcceleratorsFound {
  accelerators: FoundAccelerator[];
  warnings: string[];
}

/** How an accelerator does at a moment. */
export interface AcceleratorReading {
  /** Whether the machine and its driver still have it. */
  present: boolean;
  /** Uncorrected memory errors since its driver began; null: not known. */
  uncorrected: number | null;
  /** Whether it is slowed down by its heat or at its limit (`hot`), well below it (`cool`), or in between. */
  heat: "hot" | "warm" | "cool" | null;
}

export const BYTES_PER_GIB = 1024 ** 3;

/** What the wire allows of a name; control characters never belong to one. */
export function plainName(text: string): string {
  return text.replace(/\p{C}/gu, "").slice(0, 100);
}
