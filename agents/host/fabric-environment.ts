import type { Inventory } from "../../src/wire/index.ts";

/** A variable that follows from what the host has, and why it has this value, for people. */
export interface DerivedVariable {
  name: string;
  value: string;
  reason: string;
}

type Fabric = NonNullable<Inventory["fabric"]>;
type Nic = Inventory["nics"][number];
type Host = Pick<Inventory, "accelerators" | "nics" | "fabric" | "interface">;

/** RDMA devices have one port that counts, and it is this one; only another one is worth naming. */
const USUAL_PORT = 1;

/**
 * What NCCL, RCCL, Gloo, UCX, Mooncake and libfabric have to be told of a host's network, so that accelerators of several
 * hosts reach each other: which NICs, which of a NIC's addresses, which interface for the first words. A job that has
 * no accelerator needs none of it.
 *
 * @param own what the job's own environment says, which is never contradicted
 */
export function fabricEnvironment(
  accelerators: readonly number[],
  host: Host,
  own: Readonly<Record<string, string>>,
): DerivedVariable[] {
  if (accelerators.length === 0) return [];
  const nics = fabricNics(accelerators, host);
  const derived = [...interfaceVariables(host), ...(nics === null ? noFabric(host) : ofFabric(nics, host))];
  return derived.filter(({ name }) => !Object.hasOwn(own, name) && !goesWithOther(name, own));
}

/** An index is of the NICs that were found: it says nothing about others that the job's own environment names. */
function goesWithOther(name: string, own: Readonly<Record<string, string>>): boolean {
  return name === "NCCL_IB_GID_INDEX" && Object.hasOwn(own, "NCCL_IB_HCA");
}

/** The NICs of the fabric that are nearest to the accelerators; all of it where nothing is known of distances. */
export function fabricNics(
  accelerators: readonly number[],
  { accelerators: present, nics, fabric }: Pick<Host, "accelerators" | "nics" | "fabric">,
): Nic[] | null {
  if (fabric === null) return null;
  const near = present
    .filter(({ index }) => accelerators.includes(index))
    .flatMap(({ device }) => device?.near?.nics ?? []);
  const all = fabric.nics.flatMap((name) => nics.find((nic) => nic.name === name && nic.state === "active") ?? []);
  const nearest = all.filter(({ name }) => near.includes(name));
  return nearest.length > 0 ? nearest : all;
}

function ofFabric(nics: Nic[], { accelerators, fabric }: Host): DerivedVariable[] {
  const { kind } = fabric as Fabric;
  if (kind === "efa") return EFA;
  if (kind === "other") return [];
  const names = nics.map(({ name }) => name);
  const known = accelerators.some(({ device }) => device?.near);
  const which = `the ${nics.length} active ${kind === "roce" ? "RoCE" : "InfiniBand"} NICs ${known ? "nearest to the job's accelerators" : "of the fabric"}`;
  return [
    { name: "HEADRACE_RDMA_DEVICES", value: names.join(","), reason: `${which}, for --disaggregation-ib-device` },
    { name: "NCCL_IB_HCA", value: `=${nics.map(ncclName).join(",")}`, reason: `${which}; = for exact names` },
    { name: "UCX_NET_DEVICES", value: nics.map(({ name, port }) => `${name}:${port}`).join(","), reason: which },
    ...(kind === "roce" ? gidVariables(nics) : []),
    ...portVariables(nics),
  ];
}

/** NCCL looks at all ports of a device that is named without one. */
function ncclName({ name, port }: Nic): string {
  return port === USUAL_PORT ? name : `${name}:${port}`;
}

/** Only an index that all of them have can be told: both variables are one number for every NIC. */
function gidVariables(nics: Nic[]): DerivedVariable[] {
  const [index] = new Set(nics.map(({ gidIndex }) => gidIndex));
  if (index === null || index === undefined || nics.some(({ gidIndex }) => gidIndex !== index)) return [];
  const reason = `the RoCE v2 address with an IPv4 in it has this index on all of ${nics.map(({ name }) => name).join(", ")}`;
  return ["NCCL_IB_GID_INDEX", "MC_GID_INDEX"].map((name) => ({ name, value: String(index), reason }));
}

function portVariables(nics: Nic[]): DerivedVariable[] {
  const [port] = new Set(nics.map((nic) => nic.port));
  if (port === undefined || port === USUAL_PORT || nics.some((nic) => nic.port !== port)) return [];
  return [{ name: "MC_IB_PORT", value: String(port), reason: "the port of these NICs that is active" }];
}

/** EFA is reached through libfabric, which finds its devices itself; NCCL's own InfiniBand transport does not know it. */
const EFA: DerivedVariable[] = [
  { name: "FI_PROVIDER", value: "efa", reason: "the active NICs are EFA" },
  {
    name: "FI_EFA_USE_DEVICE_RDMA",
    value: "1",
    reason: "older libfabric writes to accelerators' memory only if told to",
  },
];

/**
 * Said plainly rather than left to be found out: NCCL and Mooncake would try NICs that are there and lead nowhere. Of a
 * host without NICs nothing is said, since that none was found is not that there is none.
 */
function noFabric({ nics }: Host): DerivedVariable[] {
  if (nics.length === 0) return [];
  const reason = "no RDMA NIC of the host is active";
  return ["NCCL_IB_DISABLE", "MC_FORCE_TCP"].map((name) => ({ name, value: "1", reason }));
}

/** An interface over InfiniBand carries no traffic that was not made for it. */
function interfaceVariables({ interface: name, nics }: Host): DerivedVariable[] {
  if (name === null || nics.some((nic) => nic.interface === name && nic.linkLayer === "infiniband")) return [];
  const reason = "the interface of the host's address, or of its default route";
  return [
    { name: "NCCL_SOCKET_IFNAME", value: `=${name}`, reason: `${reason}; = for its exact name` },
    { name: "GLOO_SOCKET_IFNAME", value: name, reason },
  ];
}
