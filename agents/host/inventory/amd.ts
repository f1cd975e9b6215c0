import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Accelerator } from "../../../src/wire/index.ts";
import { memoryAsSold } from "./models.ts";

const AMD_VENDOR = "0x1002";

/** PCI classes of accelerators: processing accelerator, and the two display classes that compute cards use. */
const CLASSES = ["0x1200", "0x0380", "0x0300"];

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

const BYTES_PER_GIB = 1024 ** 3;

/**
 * Finds AMD accelerators in sysfs, without any tool. Only what the amdgpu driver serves has a memory size and counts.
 * They are numbered in the order of their PCI addresses, compared as text: these are hexadecimal numbers of fixed width.
 * @param sysRoot `/sys`, or the root of a tree like it
 */
export function findAmd(sysRoot: string): Accelerator[] {
  const devices = join(sysRoot, "bus/pci/devices");
  const found: Accelerator[] = [];
  for (const address of listFolder(devices).toSorted()) {
    const read = (file: string) => readLine(join(devices, address, file));
    if (read("vendor") !== AMD_VENDOR || !CLASSES.includes(read("class")?.slice(0, 6) ?? "")) continue;
    const bytes = Number(read("mem_info_vram_total") ?? "");
    // A display of the board has no memory worth the name, and one without the driver none that can be used.
    if (!(bytes >= BYTES_PER_GIB)) continue;
    const device = read("device") ?? "";
    const name = NAMES[device] ?? read("product_name") ?? `AMD-${device}`;
    found.push({ index: found.length, vendor: "amd", name, memoryGib: memoryAsSold(name, bytes / BYTES_PER_GIB) });
  }
  return found;
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** null when the file is missing, empty or cannot be read: drivers leave files out as they like. */
function readLine(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch {
    return null;
  }
}
