import { FakeTree } from "./fake-tree.ts";
import { addAmdGpu, addManagement, addModules, addNic, EMPTY_GID, type FakeGid } from "./parts.ts";

/**
 * `bnxt`: as bought. `ionic`: with AMD's own NICs, whose only IPv4 address has index 1. `mixed`: one NIC has its IPv4
 * addresses elsewhere.
 */
export type Mi300xVariant = "bnxt" | "ionic" | "mixed";

/** Bridges of each rail: the root complex, the root port, the switch, and its two ports above accelerator and NIC. */
const RAILS = [
  { root: "00", port: "00:01.1", up: "09:00.0", gpu: "0a:00.0/0000:0b:00.0/0000:0c:00.0", nic: "0a:01.0/0000:0f:00.0" },
  { root: "15", port: "15:01.1", up: "1f:00.0", gpu: "20:00.0/0000:21:00.0/0000:22:00.0", nic: "20:01.0/0000:25:00.0" },
  { root: "30", port: "30:01.1", up: "35:00.0", gpu: "36:00.0/0000:37:00.0/0000:38:00.0", nic: "36:01.0/0000:3b:00.0" },
  { root: "50", port: "50:01.1", up: "59:00.0", gpu: "5a:00.0/0000:5b:00.0/0000:5c:00.0", nic: "5a:01.0/0000:5f:00.0" },
  { root: "90", port: "90:01.1", up: "9c:00.0", gpu: "9d:00.0/0000:9e:00.0/0000:9f:00.0", nic: "9d:01.0/0000:a2:00.0" },
  { root: "a8", port: "a8:01.1", up: "ac:00.0", gpu: "ad:00.0/0000:ae:00.0/0000:af:00.0", nic: "ad:01.0/0000:b2:00.0" },
  { root: "b8", port: "b8:01.1", up: "bc:00.0", gpu: "bd:00.0/0000:be:00.0/0000:bf:00.0", nic: "bd:01.0/0000:c2:00.0" },
  { root: "d8", port: "d8:01.1", up: "dc:00.0", gpu: "dd:00.0/0000:de:00.0/0000:df:00.0", nic: "dd:01.0/0000:e2:00.0" },
];

/** 8 x MI300X with 8 NICs of 400 Gb/s RoCE, one for each accelerator; the last one's port is down. */
export function mi300xHost(variant: Mi300xVariant = "bnxt"): FakeTree {
  const tree = new FakeTree();
  addModules(tree, ["amdgpu", variant === "ionic" ? "ionic" : "bnxt_re", "ib_uverbs", "rdma_cm"]);
  addManagement(tree, "pci0000:60/0000:60:01.1/0000:61:00.0", "eno1");
  tree.add("dev", { kfd: "", "infiniband/rdma_cm": "" });
  for (const [i, { root, port, up, gpu, nic }] of RAILS.entries()) {
    const numa = i < 4 ? 0 : 1;
    const above = `pci0000:${root}/0000:${port}/0000:${up}`;
    addAmdGpu(tree, i, `${above}/0000:${gpu}`, numa);
    const isDown = i === 7;
    addNic(tree, {
      ...deviceOf(variant, i),
      path: `${above}/0000:${nic}`,
      uverbs: i,
      numa,
      port: {
        state: isDown ? "1: DOWN" : "4: ACTIVE",
        phys_state: isDown ? "3: Disabled" : "5: LinkUp",
        rate: "400 Gb/sec (4X NDR)",
        link_layer: "Ethernet",
        lid: "0x0",
        sm_lid: "0x0",
      },
      gids: gidsOf(variant, i),
      net: { name: `rdma${i}`, files: { mtu: 9_000, type: 1, speed: 400_000, address: `bc:97:e1:10:20:${i}0` } },
    });
  }
  return tree;
}

function deviceOf(variant: Mi300xVariant, i: number) {
  const isIonic = variant === "ionic";
  return {
    name: isIonic ? `ionic_${i}` : `bnxt_re${i}`,
    driver: isIonic ? "ionic" : "bnxt_en",
    pci: { vendor: isIonic ? "0x1dd8" : "0x14e4", device: isIonic ? "0x1002" : "0x1760", class: "0x020000" },
    device: {
      node_type: "1: CA",
      fw_ver: "231.2.63.0",
      node_guid: `be97:e1ff:fe10:20${i}0`,
      sys_image_guid: `be97:e1ff:fe10:20${i}0`,
      hw_rev: "0x1",
      hca_type: isIonic ? "ionic" : "Broadcom NetXtreme-C/E RoCE Driver HCA",
    },
  };
}

function gidsOf(variant: Mi300xVariant, i: number): FakeGid[] {
  const local = `fe80:0000:0000:0000:be97:e1ff:fe10:20${i}0`;
  const ipv4 = `0000:0000:0000:0000:0000:ffff:0ae0:0${i}0b`;
  if (variant === "ionic") {
    return [
      { index: 0, gid: local, type: "RoCE v2" },
      { index: 1, gid: ipv4, type: "RoCE v2" },
    ];
  }
  const at = variant === "mixed" && i === 5 ? 4 : 2;
  const gids: FakeGid[] = [
    { index: 0, gid: local, type: "IB/RoCE v1" },
    { index: 1, gid: local, type: "RoCE v2" },
    { index: at, gid: ipv4, type: "IB/RoCE v1" },
    { index: at + 1, gid: ipv4, type: "RoCE v2" },
  ];
  const empty = [2, 3, 4, 5].filter((index) => !gids.some((gid) => gid.index === index));
  return [...gids, ...empty.map((index) => ({ index, gid: EMPTY_GID }))];
}
