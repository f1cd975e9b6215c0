import { beforeEach, expect, test } from "vitest";
import { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { addFunction } from "../../../test/support/fake-sysfs/parts.ts";
import { findAmd, readAmd } from "./amd.ts";
import { listAccelerators } from "./pci.ts";

let tree: FakeTree;
beforeEach(() => {
  tree = new FakeTree();
});

const mi300x = { vendor: "0x1002", device: "0x74a1", class: "0x120000", mem_info_vram_total: "206141652992" };

async function found() {
  return findAmd(tree.trees(), await listAccelerators(tree.trees().sys));
}

test("accelerators are read from sysfs, in the order of their PCI addresses as text", async () => {
  addFunction(tree, "pci0000:90/0000:90:01.1/0000:9f:00.0", "amdgpu", mi300x);
  addFunction(tree, "pci0000:00/0000:00:01.1/0000:0c:00.0", "amdgpu", mi300x);
  const mi325x = { ...mi300x, device: "0x74a5", mem_info_vram_total: "274877906944" };
  addFunction(tree, "pci0000:15/0000:15:01.1/0000:22:00.0", "amdgpu", mi325x);
  const nic = { vendor: "0x14e4", device: "0x1760", class: "0x020000" };
  addFunction(tree, "pci0000:15/0000:15:01.1/0000:25:00.0", "bnxt_en", nic);
  expect((await found()).accelerators.map(({ bus, name, memoryGib }) => [bus, name, memoryGib])).toEqual([
    ["0000:0c:00.0", "MI300X", 192],
    ["0000:22:00.0", "MI325X", 256],
    ["0000:9f:00.0", "MI300X", 192],
  ]);
});

test("what the driver does not serve, or a board's display, is no accelerator", async () => {
  const { mem_info_vram_total: _, ...withoutDriver } = mi300x;
  addFunction(tree, "pci0000:00/0000:0c:00.0", "vfio-pci", withoutDriver);
  const display = { ...mi300x, class: "0x030000", mem_info_vram_total: "16777216" };
  addFunction(tree, "pci0000:00/0000:0d:00.0", "amdgpu", display);
  expect(await found()).toEqual({ accelerators: [], warnings: [] });
});

test("a model without a known id keeps the name that the driver gives, else its id", async () => {
  const unknown = { ...mi300x, device: "0x7fff", mem_info_vram_total: String(100 * 1024 ** 3) };
  addFunction(tree, "pci0000:00/0000:0c:00.0", "amdgpu", { ...unknown, product_name: "Instinct Next" });
  addFunction(tree, "pci0000:00/0000:0d:00.0", "amdgpu", unknown);
  expect((await found()).accelerators.map(({ name, memoryGib }) => [name, memoryGib])).toEqual([
    ["Instinct Next", 100],
    ["AMD-0x7fff", 100],
  ]);
});

test("one that is split into partitions is told, since its parts are not offered", async () => {
  addFunction(tree, "pci0000:00/0000:0c:00.0", "amdgpu", { ...mi300x, current_compute_partition: "CPX" });
  expect((await found()).warnings).toEqual([
    "accelerator 0000:0c:00.0 (MI300X) is partitioned (CPX), but is offered as one",
  ]);
});

test.each([
  ["100000", "hot"],
  ["95000", "warm"],
  ["90000", "cool"],
  ["rubbish", null],
])("a sensor that says %s of at most 100000 makes it %s", async (input, heat) => {
  const sensors = { "hwmon/hwmon3/temp2_input": input, "hwmon/hwmon3/temp2_crit": "100000" };
  addFunction(tree, "pci0000:00/0000:0c:00.0", "amdgpu", { ...mi300x, ...sensors });
  expect(await readAmd(tree.trees().sys, "0000:0c:00.0")).toMatchObject({ present: true, heat });
});

test("errors that could not be corrected are counted, others not", async () => {
  addFunction(tree, "pci0000:00/0000:0c:00.0", "amdgpu", { ...mi300x, "ras/umc_err_count": "ue: 2\nce: 17" });
  addFunction(tree, "pci0000:00/0000:0d:00.0", "amdgpu", mi300x);
  const { sys } = tree.trees();
  expect((await readAmd(sys, "0000:0c:00.0")).uncorrected).toBe(2);
  expect((await readAmd(sys, "0000:0d:00.0")).uncorrected).toBeNull();
  expect(await readAmd(sys, "0000:0e:00.0")).toEqual({ present: false, uncorrected: null, heat: null });
});
