import * as z from "zod";

/** A warning's length; what is longer is cut by the agent. */
export const WARNING_CHARS_MAX = 1_000;

/** What a report may carry of warnings, and of problems: a person reads the first few. */
export const WARNINGS_MAX = 50;
export const PROBLEMS_MAX = 50;

/** A problem's length; what is longer is cut by the agent. */
export const PROBLEM_CHARS_MAX = 300;

export const ACCELERATORS_MAX = 1024;

/** The largest machines that are sold have 32; virtual functions can multiply that. */
export const NICS_MAX = 256;

/** How many NICs can be equally near to one accelerator: where nothing is known of distances, all of them. */
const NICS_NEAR_MAX = NICS_MAX;

/** `0000:0c:00.0`: of fixed width in each domain and in lower case, so that addresses sort as text. */
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

const pciAddress = z.string().regex(PCI_ADDRESS);

/** null: the machine has one, or does not say. */
const numaNode = z.int().min(0).max(65_535).nullable();

/** A device's node below `/dev`, such as `dri/renderD128`; never a way out of it. */
const deviceNode = z
  .string()
  .max(64)
  .regex(/^[\w-]+(\/[\w-]+)*$/);

const nicName = z.string().regex(/^[\w.-]{1,64}$/);

/**
 * How far a NIC is from an accelerator over PCI, nearest first: under one switch, beyond one more bridge, under one root
 * complex, on one NUMA node, on another one.
 */
export const DISTANCES = ["pix", "pxb", "phb", "node", "sys"] as const;

/** What the machine says of an accelerator, where it was found and not declared. */
export const acceleratorDevice = z.object({
  bus: pciAddress,
  numa: numaNode,
  /** The driver with its version where it has one, e.g. `nvidia 550.54.15`. */
  driver: z.string().max(100).nullable(),
  /** As the vendor's runtime names it, `GPU-…`: it opens this device whatever the order. */
  uuid: z.string().max(100).nullable(),
  nodes: z.array(deviceNode).max(8),
  /** The nearest NICs of the fabric that are active; none where there is no fabric. */
  near: z.object({ distance: z.enum(DISTANCES), nics: z.array(nicName).max(NICS_NEAR_MAX) }).nullable(),
});

export const accelerator = z.object({
  /** Position on the host, as vendor tools and `CUDA_VISIBLE_DEVICES` count. */
  index: z.int().min(0),
  vendor: z.enum(["nvidia", "amd", "google", "intel", "tenstorrent"]),
  /** e.g. `H200`. */
  name: z.string().max(100),
  memoryGib: z.number().min(0),
  /** Left out where it was declared, and by older agents. */
  device: acceleratorDevice.optional(),
});

/** A port of an RDMA device. A device with several is several of these. */
export const nic = z.object({
  /** As the kernel's RDMA stack and NCCL name it, e.g. `mlx5_0`. */
  name: nicName,
  port: z.int().min(1).max(255),
  bus: pciAddress.nullable(),
  numa: numaNode,
  /** e.g. `mlx5_core`. */
  driver: z.string().max(100).nullable(),
  /** Its network interface, where it has one. */
  interface: z.string().max(64).nullable(),
  state: z.enum(["active", "init", "armed", "down", "unknown"]),
  rateGbps: z.number().min(0),
  /** `unspecified`: EFA. */
  linkLayer: z.enum(["infiniband", "ethernet", "unspecified"]),
  /** The index of its RoCE v2 address that is an IPv4 one; null where it has none, and on other link layers. */
  gidIndex: z.int().min(0).max(65_535).nullable(),
  nodes: z.array(deviceNode).max(8),
});

/** The NICs over which the accelerators of several hosts reach each other: the largest group of equal, active ones. */
export const fabric = z.object({
  kind: z.enum(["infiniband", "roce", "efa", "other"]),
  rateGbps: z.number().min(0),
  nics: z.array(nicName).max(NICS_MAX),
  /** RoCE alone: the index that all of them have. null where they differ, or one has none. */
  gidIndex: z.int().min(0).max(65_535).nullable(),
});

/**
 * What is wrong with a part of a host so that nothing new should be placed there while it lasts. Agents report what they
 * hold to be so after looking more than once, so that it does not come and go with each report.
 */
export const hostProblem = z.object({
  /** e.g. `accelerator_gone`. Not an enumeration: a newer agent may know more. */
  code: z.string().regex(/^[a-z][a-z_]{0,39}$/),
  /** An accelerator's PCI address or a NIC's name. */
  part: z.string().max(64),
  /** The accelerators that it concerns, by index. */
  accelerators: z.array(z.int().min(0)).max(ACCELERATORS_MAX),
  message: z.string().max(PROBLEM_CHARS_MAX),
});

/** A host's name or address as it can stand in a URL. */
export const hostAddress = z
  .string()
  .refine(isAddress, "must be a host's name or address, as it can stand in a URL (no zone)");

/** The file system that holds one or more of the things that a host keeps. */
export const hostDisk = z.object({
  /** The first of the places on it. */
  path: z.string().max(4_096),
  /** The agent's data with the jobs' folders and logs, downloaded models, the container engine's images. */
  holds: z.array(z.enum(["data", "models", "images"])).max(3),
  gib: z.number().min(0),
  /** `low`: nearly full; `full`: nothing new that writes to it should be started. Held for a while, so that it does not come and go. */
  level: z.enum(["ok", "low", "full"]),
});

/** Where jobs keep the models that they download, and how much that is; null: not measured yet. */
export const modelCache = z.object({ path: z.string().max(4_096), gib: z.int().min(0).nullable() });

/** What a host has, as its agent sees it or as it was declared to the agent. Older agents leave out what has a default. */
export const inventory = z.object({
  /** The address at which other hosts of the fleet reach this one. */
  address: hostAddress,
  arch: z.enum(["x86", "arm"]),
  cpus: z.number().min(0),
  memoryGib: z.number().min(0),
  diskGib: z.number().min(0),
  accelerators: z.array(accelerator).max(ACCELERATORS_MAX),
  runtimes: z.array(z.enum(["process", "docker"])),
  /** Things an operator should know, e.g. that jobs are not confined by a cgroup. */
  warnings: z.array(z.string().max(WARNING_CHARS_MAX)).max(WARNINGS_MAX),
  /** The network interface that has the address, else that of the default route. */
  interface: z.string().max(64).nullable().default(null),
  nics: z.array(nic).max(NICS_MAX).default([]),
  fabric: fabric.nullable().default(null),
  problems: z.array(hostProblem).max(PROBLEMS_MAX).default([]),
  disks: z.array(hostDisk).max(3).default([]),
  modelCache: modelCache.nullable().default(null),
});

/** Workers are known by URLs made of it, to other hosts too: what makes none would be their trouble. */
function isAddress(text: string): boolean {
  return /^[\w.:-]{1,253}$/.test(text) && URL.canParse(`http://${text.includes(":") ? `[${text}]` : text}:80`);
}

export type Distance = (typeof DISTANCES)[number];
export type Accelerator = z.infer<typeof accelerator>;
export type AcceleratorDevice = z.infer<typeof acceleratorDevice>;
export type Nic = z.infer<typeof nic>;
export type Fabric = z.infer<typeof fabric>;
export type HostDisk = z.infer<typeof hostDisk>;
export type HostProblem = z.infer<typeof hostProblem>;
export type Inventory = z.infer<typeof inventory>;
