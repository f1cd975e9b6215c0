import { type AcceleratorReading, type AcceleratorsFound, BYTES_PER_GIB, plainName } from "./found.ts";
import { memoryAsSold } from "./models.ts";
import { type PciFunction, pciFolder } from "./pci.ts";
import { type Tree, type Trees, wholeNumber } from "./tree.ts";

const AMD_VENDOR = "0x1002";

/** PCI device ids of AMD's accelerators (the PCI id database); what the kernel itself does not name. */
const NAMES: Record<string, string> = {
  "0x740c": "MI250X",
  "0x7408": "MI250X",
  "0x740f": "MI210",
  "0x74a0": "MI300A",
  "0x74a1": "MI300X",
  "0x74a5": "MI325X",
  "0x75a0": "MI350X",
  "0x75a3": "MI355X",
};

/** An accelerator is cool again this far below its limit, so that one at its limit does not come and go. */
const COOLED_MILLIDEGREES = 10_000;

/** Memory whose errors cannot be corrected is found in the memory controllers (umc) of the device. */
const ERROR_COUNTS = "ras/umc_err_count";

const RENDER_NODE = /^renderD\d{1,5}$/;

/**
 * Finds AMD accelerators in sysfs, without any tool. Only what the amdgpu driver serves has a memory size and counts.
 * @param functions accelerators and displays of every vendor, by address
 */
export async function findAmd(trees: Trees, functions: PciFunction[]): Promise<AcceleratorsFound> {
  const found: AcceleratorsFound = { accelerators: [], warnings: [] };
  const version = await trees.sys.read("module/amdgpu/version");
  for (const { vendor, device, ...place } of functions) {
    if (vendor !== AMD_VENDOR) continue;
    const read = (file: string) => trees.sys.read(`${pciFolder(place.address)}/${file}`);
    const bytes = wholeNumber(await read("mem_info_vram_total")) ?? 0;
    // A display of the board has no memory worth the name, and one without the driver none that can be used.
    if (bytes < BYTES_PER_GIB) continue;
    const name = plainName(NAMES[device] ?? (await read("product_name")) ?? `AMD-${device}`);
    const id = await read("unique_id");
    const driver = place.driver ?? "amdgpu";
    found.accelerators.push({
      vendor: "amd",
      name,
      memoryGib: memoryAsSold(name, bytes / BYTES_PER_GIB),
      bus: place.address,
      chain: place.chain,
      numa: place.numa,
      driver: plainName(version === null ? driver : `${driver} ${version}`),
      // How ROCr names it in ROCR_VISIBLE_DEVICES.
      uuid: id !== null && /^[0-9a-f]{16}$/.test(id) ? `GPU-${id}` : null,
      nodes: await renderNodes(trees, place.address),
    });
    const partition = await read("current_compute_partition");
    if (partition !== null && partition !== "SPX") {
      found.warnings.push(
        `accelerator ${place.address} (${name}) is partitioned (${plainName(partition)}), but is offered as one`,
      );
    }
  }
  return found;
}

/** How the accelerator at an address does now. Some of it is asked of the device, which may take its time. */
export async function readAmd(sys: Tree, bus: string): Promise<AcceleratorReading> {
  const folder = pciFolder(bus);
  const present = wholeNumber(await sys.read(`${folder}/mem_info_vram_total`)) !== null;
  if (!present) return { present, uncorrected: null, heat: null };
  const errors = /^ue:\s*(\d{1,15})$/m.exec((await sys.read(`${folder}/${ERROR_COUNTS}`)) ?? "")?.[1];
  return { present, uncorrected: errors === undefined ? null : Number(errors), heat: await readHeat(sys, folder) };
}

/** That of its hottest sensor, each against its own limit. */
async function readHeat(sys: Tree, folder: string): Promise<AcceleratorReading["heat"]> {
  const heats: NonNullable<AcceleratorReading["heat"]>[] = [];
  for (const monitor of await sys.list(`${folder}/hwmon`)) {
    for (const sensor of ["temp1", "temp2", "temp3"]) {
      const now = wholeNumber(await sys.read(`${folder}/hwmon/${monitor}/${sensor}_input`));
      const limit = wholeNumber(await sys.read(`${folder}/hwmon/${monitor}/${sensor}_crit`));
      if (now === null || limit === null || limit === 0) continue;
      heats.push(now >= limit ? "hot" : now <= limit - COOLED_MILLIDEGREES ? "cool" : "warm");
    }
  }
  return (["hot", "warm", "cool"] as const).find((heat) => heats.includes(heat)) ?? null;
}

async function renderNodes({ sys, dev }: Trees, bus: string): Promise<string[]> {
  const there = await dev.list("dri");
  const nodes = (await sys.list(`${pciFolder(bus)}/drm`)).filter((node) => RENDER_NODE.test(node)).slice(0, 8);
  return nodes.filter((node) => there.includes(node)).map((node) => `dri/${node}`);
}
