import type { Accelerator } from "../../../src/wire/index.ts";

type Vendor = Accelerator["vendor"];

interface AcceleratorModel {
  name: string;
  vendor: Vendor;
  /** GiB as sold, one entry per size that exists. */
  sizesGib: readonly number[];
}

/**
 * Accelerators by the short name that people write in `gpu:`, with the memory they are sold with. Vendors' tools report
 * less than that (the driver's share, and 1/16 where ECC is kept in the same memory): an L4 sold as 24 GB says 22.5.
 * Sizes are from the vendors' data sheets. A model that is missing here is reported as measured.
 */
const MODELS: readonly AcceleratorModel[] = [
  { name: "B300", vendor: "nvidia", sizesGib: [288] },
  { name: "B200", vendor: "nvidia", sizesGib: [180, 192] },
  { name: "GB200", vendor: "nvidia", sizesGib: [186, 192] },
  { name: "GH200", vendor: "nvidia", sizesGib: [96, 144] },
  { name: "H200", vendor: "nvidia", sizesGib: [141] },
  { name: "H100", vendor: "nvidia", sizesGib: [80, 94, 96] },
  { name: "H20", vendor: "nvidia", sizesGib: [96, 141] },
  { name: "A100", vendor: "nvidia", sizesGib: [40, 80] },
  { name: "A40", vendor: "nvidia", sizesGib: [48] },
  { name: "A30", vendor: "nvidia", sizesGib: [24] },
  { name: "A10G", vendor: "nvidia", sizesGib: [24] },
  { name: "A10", vendor: "nvidia", sizesGib: [24] },
  { name: "L40S", vendor: "nvidia", sizesGib: [48] },
  { name: "L40", vendor: "nvidia", sizesGib: [48] },
  { name: "L4", vendor: "nvidia", sizesGib: [24] },
  { name: "T4", vendor: "nvidia", sizesGib: [16] },
  { name: "V100", vendor: "nvidia", sizesGib: [16, 32] },
  { name: "RTX5090", vendor: "nvidia", sizesGib: [32] },
  { name: "RTX4090", vendor: "nvidia", sizesGib: [24] },
  { name: "RTX3090", vendor: "nvidia", sizesGib: [24] },
  { name: "MI355X", vendor: "amd", sizesGib: [288] },
  { name: "MI350X", vendor: "amd", sizesGib: [288] },
  { name: "MI325X", vendor: "amd", sizesGib: [256] },
  { name: "MI300X", vendor: "amd", sizesGib: [192] },
  { name: "MI300A", vendor: "amd", sizesGib: [128] },
  { name: "MI250X", vendor: "amd", sizesGib: [128] },
  { name: "MI210", vendor: "amd", sizesGib: [64] },
];

/** What a tool may report below the size as sold: 1/16 for ECC, and some for the driver. */
const SHORTFALL_MAX = 0.09;

export function findModel(name: string): AcceleratorModel | null {
  return MODELS.find((model) => model.name === name.toUpperCase()) ?? null;
}

/** The memory as sold of what a tool measured, so that `memory: 24GB` finds a 24 GB accelerator; else the measure. */
export function memoryAsSold(name: string, measuredGib: number): number {
  const sizes = findModel(name)?.sizesGib ?? [];
  const fitting = sizes.filter((size) => measuredGib <= size * 1.01 && measuredGib >= size * (1 - SHORTFALL_MAX));
  // H100 NVL (94) measures as a 96 GB one with its ECC share taken off, and A100 sizes lie far apart: the nearest wins.
  const nearest = fitting.toSorted((a, b) => Math.abs(a - measuredGib) - Math.abs(b - measuredGib))[0];
  return nearest ?? Math.round(measuredGib * 10) / 10;
}

/**
 * The short name in a product name: `NVIDIA H100 80GB HBM3` is `H100`, `NVIDIA A100-SXM4-80GB` is `A100`,
 * `NVIDIA GeForce RTX 4090` is `RTX4090`, `AMD Instinct MI300X` is `MI300X`. One that is not known keeps its words, in
 * one, without the vendor's.
 */
export function shortName(product: string): string {
  const words = product
    .replace(/\b(nvidia|amd|tesla|geforce|instinct|radeon|graphics|generation)\b/gi, " ")
    .split(/[\s_/-]+/)
    .filter(Boolean);
  const known = words.map((word, at) => findModel(word) ?? findModel(word + (words[at + 1] ?? "")));
  return known.find((model) => model !== null)?.name ?? (words.join("") || product.trim());
}
