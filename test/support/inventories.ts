import type { Inventory } from "../../src/wire/index.ts";

/** A machine with nothing special, but for what is said of it: a field that is new to inventories is added here. */
export function plainInventory(over: Partial<Inventory> = {}): Inventory {
  return {
    address: "127.0.0.1",
    arch: "x86",
    cpus: 64,
    memoryGib: 512,
    diskGib: 1_000,
    accelerators: [],
    runtimes: ["process"],
    warnings: [],
    interface: null,
    nics: [],
    fabric: null,
    problems: [],
    disks: [],
    modelCache: null,
    ...over,
  };
}
