import { expect, it } from "vitest";
import { plainInventory } from "../../test/support/inventories.ts";
import { accelerator, acceleratorDevice, type Inventory, inventory, nic } from "./inventory.ts";

const at = (address: string) => inventory.shape.address.safeParse(address).success;

it.each(["127.0.0.1", "gpu-1.internal", "gpu_1", "2001:db8::1", "::ffff:10.0.0.1"])("%s is an address", (address) => {
  expect(at(address)).toBe(true);
});

it.each([
  "",
  "gpu 1",
  "10.0.0.1/8",
  "[::1]",
  "1.2.3.4.5",
  "999.1.1.1",
  "fe80::1%eth0",
  "gpu%",
  "::1::2",
  "10.0.0.1:80",
])("%j is none that others could connect to", (address) => {
  expect(at(address)).toBe(false);
});

it("an inventory of an older agent, which knows of no NICs, stays valid", () => {
  const older = {
    address: "10.0.0.1",
    arch: "x86",
    cpus: 8,
    memoryGib: 16,
    diskGib: 200,
    accelerators: [{ index: 0, vendor: "nvidia", name: "H100", memoryGib: 80 }],
    runtimes: ["process"],
    warnings: [],
  } satisfies Partial<Inventory>;
  expect(inventory.parse(older)).toEqual(plainInventory(older));
});

it("a device's node stays below /dev", () => {
  const node = (text: string) => acceleratorDevice.shape.nodes.safeParse([text]).success;
  expect(["dri/renderD128", "nvidia0", "infiniband/uverbs12"].map(node)).toEqual([true, true, true]);
  expect(["/dev/kfd", "../etc/shadow", "dri/..", "dri//x", ""].map(node)).toEqual([false, false, false, false, false]);
});

it("a PCI address is written in one way, so that addresses sort as text", () => {
  const bus = (text: string) => nic.shape.bus.safeParse(text).success;
  expect(["0000:0c:00.0", "10000:e1:00.7"].map(bus)).toEqual([true, true]);
  expect(["0000:0C:00.0", "0c:00.0", "0000:0c:00.8"].map(bus)).toEqual([false, false, false]);
});

it("no report can carry more accelerators than a host can have", () => {
  const one = { index: 0, vendor: "amd", name: "MI300X", memoryGib: 192 };
  expect(accelerator.parse(one)).toEqual(one);
  expect(inventory.shape.accelerators.safeParse(Array(1_025).fill(one)).success).toBe(false);
  expect(inventory.shape.nics.safeParse(Array(257).fill({})).success).toBe(false);
});
