import { describe, expect, it } from "vitest";
import type { Inventory } from "../../src/wire/index.ts";
import { fabricEnvironment } from "./fabric-environment.ts";

type Nic = Inventory["nics"][number];
type Host = Pick<Inventory, "accelerators" | "nics" | "fabric" | "interface">;

function nic(name: string, over: Partial<Nic> = {}): Nic {
  return {
    name,
    port: 1,
    bus: null,
    numa: 0,
    driver: "bnxt_en",
    interface: null,
    state: "active",
    rateGbps: 400,
    linkLayer: "ethernet",
    gidIndex: 3,
    nodes: [],
    ...over,
  };
}

/** One accelerator for each NIC, which is the nearest to it; those that are down are of no fabric. */
function host(nics: Nic[], kind: "roce" | "infiniband" | "efa" = "roce"): Host {
  const active = nics.filter(({ state }) => state === "active").map(({ name }) => name);
  return {
    interface: "eno1",
    nics,
    fabric: active.length === 0 ? null : { kind, rateGbps: 400, nics: active, gidIndex: null },
    accelerators: nics.map(({ name }, index) => ({
      index,
      vendor: "amd",
      name: "MI300X",
      memoryGib: 192,
      device: {
        bus: `0000:0${index}:00.0`,
        numa: 0,
        driver: null,
        uuid: null,
        nodes: [],
        near: { distance: "pxb", nics: active.includes(name) ? [name] : active },
      },
    })),
  };
}

function derived(promised: number[], of: Host, own: Record<string, string> = {}): Record<string, string> {
  const variables = fabricEnvironment(promised, of, own);
  for (const { reason } of variables) expect(reason).not.toBe("");
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

const three = () => [nic("bnxt_re0"), nic("bnxt_re1"), nic("bnxt_re2")];
const sockets = { NCCL_SOCKET_IFNAME: "=eno1", GLOO_SOCKET_IFNAME: "eno1" };

describe("what a job is told of its host's fabric", () => {
  it("is nothing when it has no accelerator", () => {
    expect(derived([], host(three()))).toEqual({});
  });

  it("names every NIC of RoCE exactly, and the address that all of them have at one index", () => {
    expect(derived([0, 1, 2], host(three()))).toEqual({
      ...sockets,
      HEADRACE_RDMA_DEVICES: "bnxt_re0,bnxt_re1,bnxt_re2",
      NCCL_IB_HCA: "=bnxt_re0,bnxt_re1,bnxt_re2",
      UCX_NET_DEVICES: "bnxt_re0:1,bnxt_re1:1,bnxt_re2:1",
      NCCL_IB_GID_INDEX: "3",
      MC_GID_INDEX: "3",
    });
  });

  it("names the NICs nearest to a part of the accelerators, in the fabric's order", () => {
    expect(derived([2, 1], host(three())).NCCL_IB_HCA).toBe("=bnxt_re1,bnxt_re2");
  });

  it("leaves out a NIC that is down, and gives its accelerator the next nearest", () => {
    const nics = [nic("bnxt_re0"), nic("bnxt_re1", { state: "down" })];
    expect(derived([0, 1], host(nics)).NCCL_IB_HCA).toBe("=bnxt_re0");
    expect(derived([1], host(nics)).NCCL_IB_HCA).toBe("=bnxt_re0");
  });

  it("names no index where the NICs of the job differ, and one where those do not", () => {
    const nics = [nic("bnxt_re0"), nic("bnxt_re1"), nic("bnxt_re2", { gidIndex: 5 })];
    expect(Object.keys(derived([0, 1, 2], host(nics)))).not.toContain("NCCL_IB_GID_INDEX");
    expect(derived([0, 1], host(nics))).toMatchObject({ NCCL_IB_GID_INDEX: "3", MC_GID_INDEX: "3" });
    const none = host([nic("bnxt_re0", { gidIndex: null })]);
    expect(Object.keys(derived([0], none))).not.toContain("MC_GID_INDEX");
  });

  it("names no index on InfiniBand, whatever stands in its table", () => {
    const nics = [nic("mlx5_0", { linkLayer: "infiniband" })];
    expect(derived([0], host(nics, "infiniband"))).toEqual({
      ...sockets,
      HEADRACE_RDMA_DEVICES: "mlx5_0",
      NCCL_IB_HCA: "=mlx5_0",
      UCX_NET_DEVICES: "mlx5_0:1",
    });
  });

  it("names another port than the first", () => {
    const nics = [nic("mlx5_0", { port: 2, linkLayer: "infiniband" })];
    expect(derived([0], host(nics, "infiniband"))).toMatchObject({
      NCCL_IB_HCA: "=mlx5_0:2",
      UCX_NET_DEVICES: "mlx5_0:2",
      MC_IB_PORT: "2",
    });
  });

  it("leaves EFA to libfabric and names no NIC", () => {
    const nics = [nic("rdmap79s0", { linkLayer: "unspecified", gidIndex: null })];
    expect(derived([0], host(nics, "efa"))).toEqual({ ...sockets, FI_PROVIDER: "efa", FI_EFA_USE_DEVICE_RDMA: "1" });
  });

  it("asks for TCP where no NIC is active", () => {
    const down = host([nic("bnxt_re0", { state: "down" })]);
    expect(derived([0], down)).toEqual({ ...sockets, NCCL_IB_DISABLE: "1", MC_FORCE_TCP: "1" });
    expect(derived([0], { ...down, nics: [] })).toEqual(sockets);
  });

  it("names no interface over InfiniBand, nor one that is not known", () => {
    const over = { ...host([nic("mlx5_0", { linkLayer: "infiniband", interface: "ibp24s0" })], "infiniband") };
    expect(derived([0], { ...over, interface: "ibp24s0" })).not.toHaveProperty("NCCL_SOCKET_IFNAME");
    expect(derived([0], { ...over, interface: null })).not.toHaveProperty("GLOO_SOCKET_IFNAME");
  });

  it("contradicts nothing that the job's own environment says", () => {
    expect(derived([0], host(three()), { NCCL_IB_HCA: "=mine0", UCX_NET_DEVICES: "all" })).toEqual({
      ...sockets,
      HEADRACE_RDMA_DEVICES: "bnxt_re0",
      MC_GID_INDEX: "3",
    });
  });
});
