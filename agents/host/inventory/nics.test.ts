import { expect, test } from "vitest";
import { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import { findNics } from "./nics.ts";

const folder = "sys/devices/pci0000:15/0000:15:01.0/0000:16:00.0/0000:17:00.0/0000:18:00.0";

async function first(tree: FakeTree) {
  return (await findNics(tree.trees()))[0];
}

test("a host without the class has no NICs", async () => {
  expect(await findNics(new FakeTree().trees())).toEqual([]);
});

test("a machine that says no NUMA node has none", async () => {
  const tree = h100Host();
  tree.add(folder, { numa_node: -1 });
  expect(await first(tree)).toMatchObject({ name: "mlx5_0", numa: null });
});

test("each port of a device is one of its own", async () => {
  const tree = h100Host();
  tree.add(`${folder}/infiniband/mlx5_0/ports/2`, {
    state: "1: DOWN",
    rate: "2.5 Gb/sec (1X SDR)",
    link_layer: "InfiniBand",
  });
  const ports = (await findNics(tree.trees())).filter(({ name }) => name === "mlx5_0");
  expect(ports.map(({ port, state, rateGbps }) => [port, state, rateGbps])).toEqual([
    [1, "active", 400],
    [2, "down", 2.5],
  ]);
});

test("a virtual function is left to the virtual machines", async () => {
  const tree = h100Host();
  tree.link(`${folder}/physfn`, "sys/devices/pci0000:37");
  expect(await findNics(tree.trees())).toHaveLength(8);
});

test("a bond's interface is that of its addresses, not one of its two", async () => {
  const tree = mi300xHost();
  const device = "sys/devices/pci0000:00/0000:00:01.1/0000:09:00.0/0000:0a:01.0/0000:0f:00.0/infiniband/bnxt_re0";
  for (const index of [0, 1, 2, 3]) tree.add(`${device}/ports/1/gid_attrs/ndevs`, { [index]: "bond0" });
  expect(await first(tree)).toMatchObject({ name: "bnxt_re0", interface: "bond0" });
});

test("without the attributes of its addresses an index is not guessed", async () => {
  const tree = mi300xHost();
  const device = "sys/devices/pci0000:00/0000:00:01.1/0000:09:00.0/0000:0a:01.0/0000:0f:00.0/infiniband/bnxt_re0";
  tree.remove(`${device}/ports/1/gid_attrs`);
  expect(await first(tree)).toMatchObject({ name: "bnxt_re0", gidIndex: null, interface: "rdma0" });
});

test("a domain of its own is part of the address", async () => {
  const tree = h100Host();
  const moved = folder.replace("0000:18", "10000:18");
  const port = { state: "4: ACTIVE", rate: "400 Gb/sec (4X NDR)", link_layer: "InfiniBand" };
  tree.add(`${moved}/infiniband/mlx5_0/ports/1`, port);
  tree.link("sys/class/infiniband/mlx5_0", `${moved}/infiniband/mlx5_0`);
  tree.link(`${moved}/infiniband/mlx5_0/device`, moved);
  expect(await first(tree)).toMatchObject({ name: "mlx5_0", bus: "10000:18:00.0" });
});

test("a node that is not below /dev is not promised", async () => {
  const tree = h100Host();
  tree.remove("dev/infiniband/uverbs0");
  expect(await first(tree)).toMatchObject({ name: "mlx5_0", nodes: [] });
});
