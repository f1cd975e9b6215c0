import { FakeTree } from "./fake-tree.ts";
import { addManagement, addModules, addNic, addNvidiaGpu } from "./parts.ts";

const ROOTS = [0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb];

/** Each accelerator shares its root with so many NICs. */
const NICS_PER_ROOT = 4;

/** 8 x H100 with 32 EFA devices of 100 Gb/s, four for each accelerator: a p5.48xlarge. */
export function efaHost(): FakeTree {
  const tree = new FakeTree();
  addModules(tree, ["nvidia", "efa", "gdrdrv", "ib_uverbs"]);
  tree.add("sys/module/nvidia", { version: "550.54.15" });
  tree.add("sys/kernel/mm/hugepages/hugepages-2048kB", { nr_hugepages: 5_128 });
  addManagement(tree, "pci0000:40/0000:40:05.0", "enp71s0");
  for (const [i, root] of ROOTS.entries()) {
    const numa = i < 4 ? 0 : 1;
    const above = `pci0000:${hex(root)}/0000:${hex(root)}:00.0/0000:${hex(root + 1)}:00.0`;
    addNvidiaGpu(tree, i, `${above}/0000:${hex(root + 2)}:04.0/0000:${hex(root + 0x0f)}:00.0`, numa);
    for (let j = 0; j < NICS_PER_ROOT; j += 1) addEfa(tree, i * NICS_PER_ROOT + j, above, root, j, numa);
  }
  return tree;
}

function addEfa(tree: FakeTree, k: number, above: string, root: number, j: number, numa: number): void {
  const bus = root + 0x0b + j;
  addNic(tree, {
    path: `${above}/0000:${hex(root + 2)}:0${j}.0/0000:${hex(bus)}:00.0`,
    name: `rdmap${bus}s0`,
    uverbs: k,
    driver: "efa",
    pci: { vendor: "0x1d0f", device: "0xefa2", class: "0x020000" },
    numa,
    device: { node_type: "7: unspecified", fw_ver: "0.0.0.0", hw_rev: "0xefa2" },
    port: {
      state: "4: ACTIVE",
      phys_state: "5: LinkUp",
      rate: "100 Gb/sec (4X EDR)",
      link_layer: "Unknown",
      lid: "0x0",
      sm_lid: "0x0",
    },
    gids: [{ index: 0, gid: `fe80:0000:0000:0000:0001:adff:fe00:b${(1 + k).toString(16).padStart(3, "0")}` }],
    net: null,
  });
}

const hex = (number: number) => number.toString(16).padStart(2, "0");
