import type { FakeTree } from "./fake-tree.ts";

/** A path of bridges below `sys/devices`, e.g. `pci0000:15/0000:15:01.0/0000:19:00.0`. */
export type PciPath = string;

const busOf = (path: PciPath) => path.split("/").at(-1) ?? "";
const folderOf = (path: PciPath) => `sys/devices/${path}`;

/** A PCI function: its folder under its bridges, and the link to it by its address. */
export function addFunction(
  tree: FakeTree,
  path: PciPath,
  driver: string,
  files: Record<string, string | number>,
): void {
  tree.add(folderOf(path), files);
  tree.link(`sys/bus/pci/devices/${busOf(path)}`, folderOf(path));
  tree.add(`sys/bus/pci/drivers/${driver}`, { uevent: "" });
  tree.link(`${folderOf(path)}/driver`, `sys/bus/pci/drivers/${driver}`);
}

/** The files that an accelerator of either vendor has. */
const LINK = { current_link_speed: "32.0 GT/s PCIe", current_link_width: "16" };

/** The i-th accelerator of an AMD host, with its render node and its sensors. */
export function addAmdGpu(tree: FakeTree, i: number, path: PciPath, numa: number): void {
  const minor = 128 + 8 * i;
  addFunction(tree, path, "amdgpu", {
    ...LINK,
    vendor: "0x1002",
    device: "0x74a1",
    class: "0x120000",
    numa_node: numa,
    local_cpulist: numa === 0 ? "0-47,96-143" : "48-95,144-191",
    mem_info_vram_total: "206141652992",
    mem_info_vram_used: "297795584",
    unique_id: `a1b2c3d4e5f6100${i}`,
    "ras/umc_err_count": "ue: 0\nce: 3",
    [`hwmon/hwmon${i + 3}/temp2_input`]: 47_000,
    [`hwmon/hwmon${i + 3}/temp2_crit`]: 100_000,
    [`drm/card${8 * i + 1}/dev`]: `226:${8 * i + 1}`,
    [`drm/renderD${minor}/dev`]: `226:${minor}`,
  });
  tree.link(`sys/class/drm/renderD${minor}`, `${folderOf(path)}/drm/renderD${minor}`);
  const [, bus = "0"] = busOf(path).split(":");
  tree.add(`sys/class/kfd/kfd/topology/nodes/${i + 2}`, {
    properties: [
      "simd_count 1216",
      `location_id ${Number.parseInt(bus, 16) << 8}`,
      "domain 0",
      "vendor_id 4098",
      "device_id 29857",
      "gfx_target_version 90402",
      `drm_render_minor ${minor}`,
      "num_xcc 8",
    ].join("\n"),
  });
  tree.add("dev/dri", { [`renderD${minor}`]: "", [`card${8 * i + 1}`]: "" });
}

/** The i-th accelerator of an NVIDIA host, as its driver tells of it. */
export function addNvidiaGpu(tree: FakeTree, i: number, path: PciPath, numa: number): void {
  addFunction(tree, path, "nvidia", {
    ...LINK,
    vendor: "0x10de",
    device: "0x2330",
    class: "0x030200",
    numa_node: numa,
    local_cpulist: numa === 0 ? "0-47,96-143" : "48-95,144-191",
  });
  tree.add(`proc/driver/nvidia/gpus/${busOf(path)}`, {
    information: [
      "Model: \t\t NVIDIA H100 80GB HBM3",
      `GPU UUID: \t GPU-00000000-1111-2222-3333-44444444444${i}`,
      `Device Minor: \t ${i}`,
    ].join("\n"),
  });
  tree.add("dev", { [`nvidia${i}`]: "", nvidiactl: "", "nvidia-uvm": "" });
}

/** An address of a NIC's port, as its index, what it is and its type; an empty one has no attributes. */
export interface FakeGid {
  index: number;
  gid: string;
  type?: string;
}

export const EMPTY_GID = "0000:0000:0000:0000:0000:0000:0000:0000";

export interface FakeNic {
  path: PciPath;
  name: string;
  /** The number of its node below `/dev/infiniband`. */
  uverbs: number;
  driver: string;
  /** Of the PCI function: vendor, device, class. */
  pci: { vendor: string; device: string; class: string };
  numa: number;
  /** Files of the RDMA device, such as `node_type` and `fw_ver`. */
  device: Record<string, string>;
  port: { state: string; phys_state: string; rate: string; link_layer: string; lid: string; sm_lid: string };
  gids: FakeGid[];
  /** Its network interface: the files of it, and its name; null where it has none. */
  net: { name: string; files: Record<string, string | number> } | null;
}

/** A NIC with one port. */
export function addNic(tree: FakeTree, nic: FakeNic): void {
  const folder = folderOf(nic.path);
  addFunction(tree, nic.path, nic.driver, { ...nic.pci, numa_node: nic.numa });
  const device = `${folder}/infiniband/${nic.name}`;
  tree.add(device, nic.device);
  tree.link(`${device}/device`, folder);
  tree.link(`sys/class/infiniband/${nic.name}`, device);
  tree.add(`${device}/ports/1`, { ...nic.port, lid_mask_count: 0 });
  for (const { index, gid, type } of nic.gids) {
    tree.add(`${device}/ports/1/gids`, { [index]: gid });
    if (type !== undefined) tree.add(`${device}/ports/1/gid_attrs/types`, { [index]: type });
    const hasInterface = type !== undefined && nic.port.link_layer === "Ethernet" && nic.net !== null;
    if (hasInterface) tree.add(`${device}/ports/1/gid_attrs/ndevs`, { [index]: nic.net?.name ?? "" });
  }
  const uverbs = `uverbs${nic.uverbs}`;
  const verbs = `${folder}/infiniband_verbs/${uverbs}`;
  tree.add(verbs, { ibdev: nic.name, abi_version: 1, dev: `231:${192 + nic.uverbs}` });
  tree.link(`sys/class/infiniband_verbs/${uverbs}`, verbs);
  tree.add("sys/class/infiniband_verbs", { abi_version: 6 });
  tree.add("dev/infiniband", { [uverbs]: "" });
  if (nic.net !== null) addInterface(tree, nic.path, nic.net.name, nic.net.files);
}

/** A network interface of a PCI function. */
function addInterface(tree: FakeTree, path: PciPath, name: string, files: Record<string, string | number>): void {
  const folder = `${folderOf(path)}/net/${name}`;
  tree.add(folder, { operstate: "up", ...files });
  tree.link(`${folder}/device`, folderOf(path));
  tree.link(`sys/class/net/${name}`, folder);
}

/** The interface that the host is reached by, with the default route. */
export function addManagement(tree: FakeTree, path: PciPath, name: string): void {
  addFunction(tree, path, "i40e", { vendor: "0x8086", device: "0x1572", class: "0x020000", numa_node: 0 });
  addInterface(tree, path, name, { mtu: 1500, type: 1, speed: 10_000, address: "3c:ec:ef:00:00:01" });
  tree.add("proc/net", {
    route: [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      `${name}\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0`,
      `${name}\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0`,
    ].join("\n"),
  });
}

/** Modules that are loaded. */
export function addModules(tree: FakeTree, names: string[]): void {
  for (const name of names) tree.add(`sys/module/${name}`, { refcnt: 0 });
}
