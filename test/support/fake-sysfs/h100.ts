import { FakeTree } from "./fake-tree.ts";
import { addManagement, addModules, addNic, addNvidiaGpu, EMPTY_GID, type FakeGid } from "./parts.ts";

/** Each rail: bus of the root complex, of the switch, of the NIC and of the accelerator; then the NIC's names. */
const RAILS = [
  { root: "15", up: "16", ports: "17", nic: "18", gpu: "19", name: "mlx5_0", net: "ibp24s0" },
  { root: "37", up: "38", ports: "39", nic: "3a", gpu: "3b", name: "mlx5_1", net: "ibp58s0" },
  { root: "48", up: "49", ports: "4a", nic: "4b", gpu: "4c", name: "mlx5_3", net: "ibp75s0" },
  { root: "59", up: "5a", ports: "5b", nic: "5c", gpu: "5d", name: "mlx5_4", net: "ibp92s0" },
  { root: "97", up: "98", ports: "99", nic: "9a", gpu: "9b", name: "mlx5_6", net: "ibp154s0" },
  { root: "b7", up: "b8", ports: "b9", nic: "ba", gpu: "bb", name: "mlx5_7", net: "ibp186s0" },
  { root: "c7", up: "c8", ports: "c9", nic: "ca", gpu: "cb", name: "mlx5_8", net: "ibp202s0" },
  { root: "d7", up: "d8", ports: "d9", nic: "da", gpu: "db", name: "mlx5_9", net: "ibp218s0" },
];

/** 8 x H100 with 8 NICs of 400 Gb/s InfiniBand, one for each accelerator, and one of 100 Gb/s Ethernet for storage. */
export function h100Host(): FakeTree {
  const tree = new FakeTree();
  addModules(tree, ["nvidia", "nvidia_peermem", "mlx5_core", "mlx5_ib", "ib_uverbs", "rdma_cm"]);
  tree.add("sys/module/nvidia", { version: "550.54.15" });
  addManagement(tree, "pci0000:26/0000:26:01.0/0000:27:00.0", "eno12399np0");
  tree.add("dev/infiniband", { rdma_cm: "" });
  for (const [i, rail] of RAILS.entries()) {
    const numa = i < 4 ? 0 : 1;
    const above = `pci0000:${rail.root}/0000:${rail.root}:01.0/0000:${rail.up}:00.0`;
    addNvidiaGpu(tree, i, `${above}/0000:${rail.ports}:02.0/0000:${rail.gpu}:00.0`, numa);
    addNic(tree, {
      path: `${above}/0000:${rail.ports}:00.0/0000:${rail.nic}:00.0`,
      name: rail.name,
      uverbs: i,
      driver: "mlx5_core",
      pci: { vendor: "0x15b3", device: "0x1021", class: "0x020700" },
      numa,
      device: {
        node_type: "1: CA",
        fw_ver: "28.39.3004",
        node_guid: `a088:c203:00ab:cd${i}0`,
        sys_image_guid: `a088:c203:00ab:cd${i}0`,
        hw_rev: "0x0",
        hca_type: "MT4129",
        board_id: "MT_0000000838",
      },
      port: {
        state: "4: ACTIVE",
        phys_state: "5: LinkUp",
        rate: "400 Gb/sec (4X NDR)",
        link_layer: "InfiniBand",
        lid: `0x${(0x21 + i).toString(16)}`,
        sm_lid: "0x1",
      },
      gids: [
        { index: 0, gid: `fe80:0000:0000:0000:a088:c203:00ab:cd${i}0`, type: "IB/RoCE v1" },
        { index: 1, gid: EMPTY_GID },
      ],
      net: { name: rail.net, files: { mtu: 4_092, type: 32, address: `00:00:01:47:fe:80:${i}0` } },
    });
  }
  addStorage(tree);
  return tree;
}

/** The last of the NICs, though its name is the third. */
function addStorage(tree: FakeTree): void {
  const local = "fe80:0000:0000:0000:a288:c2ff:fe46:0010";
  const ipv4 = "0000:0000:0000:0000:0000:ffff:0a00:0015";
  const gids: FakeGid[] = [
    { index: 0, gid: local, type: "IB/RoCE v1" },
    { index: 1, gid: local, type: "RoCE v2" },
    { index: 2, gid: ipv4, type: "IB/RoCE v1" },
    { index: 3, gid: ipv4, type: "RoCE v2" },
  ];
  addNic(tree, {
    path: "pci0000:26/0000:26:02.0/0000:28:00.0",
    name: "mlx5_2",
    uverbs: 8,
    driver: "mlx5_core",
    pci: { vendor: "0x15b3", device: "0x101d", class: "0x020000" },
    numa: 0,
    device: { node_type: "1: CA", fw_ver: "22.39.3004", hca_type: "MT4125", board_id: "MT_0000000359", hw_rev: "0x0" },
    port: {
      state: "4: ACTIVE",
      phys_state: "5: LinkUp",
      rate: "100 Gb/sec (4X EDR)",
      link_layer: "Ethernet",
      lid: "0x0",
      sm_lid: "0x0",
    },
    gids,
    net: { name: "ens1f0np0", files: { mtu: 1_500, type: 1, speed: 100_000, address: "a0:88:c2:46:00:10" } },
  });
}
