import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findAmd } from "./amd.ts";
import { memoryAsSold, shortName } from "./models.ts";
import { parseNvidiaSmi } from "./nvidia.ts";

test.each([
  ["NVIDIA H100 80GB HBM3", "H100"],
  ["NVIDIA H200", "H200"],
  ["NVIDIA A100-SXM4-80GB", "A100"],
  ["NVIDIA A10G", "A10G"],
  ["NVIDIA GH200 480GB", "GH200"],
  ["NVIDIA L40S", "L40S"],
  ["Tesla V100-SXM2-16GB", "V100"],
  ["NVIDIA GeForce RTX 4090", "RTX4090"],
  ["AMD Instinct MI300X", "MI300X"],
  ["NVIDIA Q77 Max", "Q77Max"],
])("%s is called %s", (product, name) => {
  expect(shortName(product)).toBe(name);
});

test.each([
  ["H100", 81559 / 1024, 80],
  ["H100", 95830 / 1024, 94],
  ["H200", 143771 / 1024, 141],
  ["B200", 183359 / 1024, 180],
  ["L4", 23034 / 1024, 24],
  ["L40S", 46068 / 1024, 48],
  ["A10G", 22731 / 1024, 24],
  ["A100", 40960 / 1024, 40],
  ["MI300X", 206141652992 / 1024 ** 3, 192],
  ["Q77Max", 81559 / 1024, 79.6],
  ["H100", 30, 30],
])("%s with %d GiB measured is sold with %d", (name, measured, sold) => {
  expect(memoryAsSold(name, measured)).toBe(sold);
});

test("nvidia-smi's lines are read one by one, and a strange one costs only itself", () => {
  const csv =
    "0, NVIDIA H100 80GB HBM3, 81559\n1, NVIDIA GB10, [N/A]\nUnable to determine the device handle\n\n3, NVIDIA H200, 143771\n";
  expect(parseNvidiaSmi(csv)).toEqual({
    accelerators: [
      { index: 0, vendor: "nvidia", name: "H100", memoryGib: 80 },
      { index: 1, vendor: "nvidia", name: "GB10", memoryGib: 0 },
      { index: 3, vendor: "nvidia", name: "H200", memoryGib: 141 },
    ],
    warnings: [
      "the memory of accelerator 1 (GB10) is not known; counted as 0",
      'nvidia-smi said "Unable to determine the device handle", which is not an accelerator',
    ],
  });
});

let sys = "";

beforeEach(() => {
  sys = mkdtempSync(join(tmpdir(), "headrace-sys-"));
  mkdirSync(join(sys, "bus/pci/devices"), { recursive: true });
});

afterEach(() => {
  rmSync(sys, { recursive: true });
});

/** A PCI device as sysfs shows it: a folder under its bridges, and a link to it. */
function device(path: string, files: Record<string, string>): void {
  const folder = join(sys, "devices", path);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  const address = path.split("/").at(-1) ?? "";
  symlinkSync(join("../../../devices", path), join(sys, "bus/pci/devices", address));
}

const mi300x = { vendor: "0x1002", device: "0x74a1", class: "0x120000", mem_info_vram_total: "206141652992" };

test("AMD accelerators are read from sysfs, numbered by PCI address as text", () => {
  device("pci0000:90/0000:90:01.1/0000:9f:00.0", mi300x);
  device("pci0000:00/0000:00:01.1/0000:0c:00.0", mi300x);
  device("pci0000:15/0000:15:01.1/0000:22:00.0", { ...mi300x, device: "0x74a5", mem_info_vram_total: "274877906944" });
  device("pci0000:15/0000:15:01.1/0000:25:00.0", { vendor: "0x14e4", device: "0x1760", class: "0x020000" });
  expect(findAmd(sys)).toEqual([
    { index: 0, vendor: "amd", name: "MI300X", memoryGib: 192 },
    { index: 1, vendor: "amd", name: "MI325X", memoryGib: 256 },
    { index: 2, vendor: "amd", name: "MI300X", memoryGib: 192 },
  ]);
});

test("what the driver does not serve, or a board's display, is no accelerator", () => {
  const { mem_info_vram_total: _, ...withoutDriver } = mi300x;
  device("pci0000:00/0000:0c:00.0", withoutDriver);
  device("pci0000:00/0000:0d:00.0", { ...mi300x, class: "0x030000", mem_info_vram_total: "16777216" });
  expect(findAmd(sys)).toEqual([]);
});

test("a model without a known id keeps the name that the driver gives, else its id", () => {
  const unknown = { ...mi300x, device: "0x7fff", mem_info_vram_total: String(100 * 1024 ** 3) };
  device("pci0000:00/0000:0c:00.0", { ...unknown, product_name: "Instinct Next" });
  device("pci0000:00/0000:0d:00.0", unknown);
  expect(findAmd(sys).map(({ name, memoryGib }) => [name, memoryGib])).toEqual([
    ["Instinct Next", 100],
    ["AMD-0x7fff", 100],
  ]);
});

test("a machine without sysfs has none", () => {
  expect(findAmd(join(sys, "nowhere"))).toEqual([]);
});
