import { type AcceleratorReading, type AcceleratorsFound, type FoundAccelerator, plainName } from "./found.ts";
import { findModel, memoryAsSold, shortName } from "./models.ts";
import { askAccelerators, askReadings, parseAccelerators, parseReadings, type SmiAccelerator } from "./nvidia-smi.ts";
import type { PciFunction } from "./pci.ts";
import { type Trees, wholeNumber } from "./tree.ts";

const NVIDIA_VENDOR = "0x10de";

const UUID = /^GPU-[0-9a-f-]{8,64}$/i;

/**
 * Finds NVIDIA accelerators: those that the driver serves, as its folder in /proc names them, with the names and sizes
 * that `nvidia-smi` tells where it is there. Where it is there and does not answer, no job could use them either.
 * @param tool the program; null: not to be asked
 * @param functions accelerators and displays of every vendor, by address
 */
export async function findNvidia(
  trees: Trees,
  tool: string | null,
  functions: PciFunction[],
): Promise<AcceleratorsFound> {
  const answer = tool === null ? { kind: "absent" as const } : await askAccelerators(tool);
  if (answer.kind === "failed") {
    const reason = answer.reason.slice(0, 500);
    return {
      accelerators: [],
      warnings: [`nvidia-smi does not answer, so no NVIDIA accelerators are offered: ${reason}`],
    };
  }
  const there = functions.filter(({ vendor }) => vendor === NVIDIA_VENDOR);
  const told = answer.kind === "lines" ? parseAccelerators(answer.lines) : await readDriver(trees, there);
  const version = plainName((await trees.sys.read("module/nvidia/version")) ?? "");
  const accelerators: FoundAccelerator[] = [];
  for (const one of told.accelerators) {
    const place = there.find(({ address }) => address === one.bus);
    accelerators.push({
      vendor: "nvidia",
      name: one.name,
      memoryGib: one.memoryGib,
      bus: one.bus,
      chain: place?.chain ?? [],
      numa: place?.numa ?? null,
      driver: `nvidia ${one.driverVersion ?? version}`.trim(),
      uuid: one.uuid,
      nodes: await deviceNodes(trees, one.bus),
    });
  }
  const silent = there.filter(({ address, driver }) => driver === "nvidia" && !accelerators.some(isAt(address)));
  const warnings = silent.map(({ address }) => `the NVIDIA device at ${address} does not answer; it is not offered`);
  return { accelerators, warnings: [...told.warnings, ...(answer.kind === "lines" ? warnings : [])] };
}

const isAt =
  (address: string) =>
  ({ bus }: { bus: string }) =>
    bus === address;

/**
 * How the accelerators do now, by PCI address; what the driver no longer has is not among them.
 * @returns null when nothing can be said: no tool, or one that does not know what it is asked for
 */
export async function readNvidia(tool: string | null): Promise<Map<string, AcceleratorReading> | null> {
  const answer = tool === null ? { kind: "absent" as const } : await askReadings(tool);
  if (answer.kind === "lines") return parseReadings(answer.lines);
  if (answer.kind === "absent" || /not a valid field/i.test(answer.reason)) return null;
  return new Map();
}

/** What the driver tells without its tool: no memory, but it is in the product's name or sold in one size alone. */
async function readDriver(
  { proc }: Trees,
  functions: PciFunction[],
): Promise<{ accelerators: SmiAccelerator[]; warnings: string[] }> {
  const accelerators: SmiAccelerator[] = [];
  const warnings: string[] = [];
  for (const { address: bus } of functions) {
    const information = await proc.read(`driver/nvidia/gpus/${bus}/information`);
    const product = information === null ? undefined : field(information, "Model");
    if (information === null || product === undefined) {
      warnings.push(`the NVIDIA device at ${bus} is served by no driver that jobs could use; it is not offered`);
      continue;
    }
    const name = plainName(shortName(product));
    const memoryGib = memoryOf(name, product);
    if (memoryGib === 0) warnings.push(`the memory of accelerator ${bus} (${name}) is not known; counted as 0`);
    const uuid = field(information, "GPU UUID") ?? "";
    accelerators.push({ bus, name, memoryGib, uuid: UUID.test(uuid) ? uuid : null, driverVersion: null });
  }
  return { accelerators, warnings };
}

/** In GiB; 0: not known. */
function memoryOf(name: string, product: string): number {
  const written = /\b(\d{1,4})\s?GB\b/i.exec(product)?.[1];
  if (written !== undefined) return memoryAsSold(name, Number(written));
  const sizes = findModel(name)?.sizesGib ?? [];
  return sizes.length === 1 ? (sizes[0] ?? 0) : 0;
}

/** The minor number is in the driver's folder; it does not follow the order of the bus everywhere. */
async function deviceNodes({ proc, dev }: Trees, bus: string): Promise<string[]> {
  const information = (await proc.read(`driver/nvidia/gpus/${bus}/information`)) ?? "";
  const minor = wholeNumber(field(information, "Device Minor") ?? null);
  return minor !== null && (await dev.list("")).includes(`nvidia${minor}`) ? [`nvidia${minor}`] : [];
}

function field(information: string, name: string): string | undefined {
  const line = information.split("\n").find((text) => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() || undefined;
}
