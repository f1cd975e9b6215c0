import type { Inventory } from "../../../../src/wire/index.ts";
import { fabricNics } from "../../fabric-environment.ts";
import { CACHE_IN_CONTAINER, cacheVariables } from "../../model-cache.ts";
import type { StartSpec } from "../types.ts";
import type { ContainerBody } from "./container-body.ts";

/** What a host has that decides what a container there can be given. */
export interface ContainerHost extends Pick<Inventory, "accelerators" | "nics" | "fabric"> {
  /** Where the nodes of its devices are: `/dev`. */
  devRoot: string;
  /** Nodes that are there, by their path below `devRoot`, with the id of the group that may use each. */
  devices: ReadonlyMap<string, number>;
  /** Whether the engine has what gives containers NVIDIA's devices and libraries. */
  nvidiaToolkit: boolean;
  /** Bytes that the engine may let a container lock in memory; null = as many as it likes. */
  memlockBytesMax: number | null;
  /** The folder in which it keeps the models that it downloads; null: it has a place of its own, or there is none. */
  modelCache: string | null;
  /** Where the sources of the container's volumes really are, with links followed; those that are there. */
  sources: ReadonlyMap<string, string>;
}

type Job = Pick<StartSpec, "launch" | "accelerators" | "env">;
type ContainerLaunch = NonNullable<StartSpec["launch"]["container"]>;
type Accelerator = ContainerHost["accelerators"][number];

/** Nodes that every process needs that computes on AMD's accelerators, or that finds its peers by RDMA's own means. */
const AMD_NODE = "kfd";
const RDMA_NODE = "infiniband/rdma_cm";

/** For containers whose accelerators were declared, so that nobody knows which nodes are whose. */
const AMD_NODES = /^dri\/renderD\d+$/;

/**
 * What the engine is asked to create for a job: pure, so that the whole of it can be compared with files.
 *
 * The host's network, since a prefill and its decodes find each other by the host's address and the ports promised to
 * them, and an address of RDMA over Ethernet belongs to a network namespace. The host's shared memory for accelerators
 * unless a size is asked for, since the engine's 64 MiB are too few for one model on several of them.
 *
 * @throws Error for people when the host cannot give the job what it was promised
 */
export function containerBody({ launch, accelerators, env }: Job, host: ContainerHost): ContainerBody {
  const container = launch.container;
  if (container === null) throw new Error("no image was sent for it; is the control plane of an older version?");
  const mine = host.accelerators.filter(({ index }) => accelerators.includes(index));
  const nodes = nodesOf(mine, accelerators, host);
  const hasRdma = nodes.some((node) => node.startsWith("infiniband/"));
  const hasAmd = nodes.includes(AMD_NODE);
  return {
    Image: container.image,
    ...commandOf(launch, container.command),
    ...(container.user === null ? {} : { User: container.user }),
    ...(launch.workingDir === null ? {} : { WorkingDir: launch.workingDir }),
    Env: Object.entries({ ...(host.modelCache === null ? {} : cacheVariables(CACHE_IN_CONTAINER)), ...env }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    HostConfig: {
      NetworkMode: "host",
      ...sharedMemory(container, accelerators),
      ...(container.privileged ? { Privileged: true } : {}),
      ...(hasRdma ? lockedMemory(host) : {}),
      ...(nodes.length === 0 ? {} : { Devices: nodes.map((node) => deviceOf(node, host)) }),
      ...nvidiaRequests(mine, host),
      ...(hasAmd ? { GroupAdd: groupsOf(nodes, host), SecurityOpt: ["seccomp=unconfined"] } : {}),
      ...mounts(container, host),
    },
  };
}

function commandOf(
  launch: StartSpec["launch"],
  command: ContainerLaunch["command"],
): { Entrypoint?: string[]; Cmd?: string[] } {
  switch (command.kind) {
    case "shell":
      return { Entrypoint: [launch.shell], Cmd: ["-i", "-c", launch.script] };
    case "argv":
      return { Entrypoint: command.argv.slice(0, 1), Cmd: command.argv.slice(1) };
    case "image":
      return {};
  }
}

/** With the host's shared memory a size of one's own is ignored, so it is the one or the other. */
function sharedMemory({ shmBytes }: ContainerLaunch, accelerators: number[]): object {
  if (shmBytes !== null) return { ShmSize: shmBytes };
  return accelerators.length > 0 ? { IpcMode: "host" } : {};
}

/**
 * RDMA registers memory, which is locked for it. The capability alone is enough for root in a container; the limit is
 * for other users. An engine that may not raise it refuses the whole container, so it is not asked to.
 */
function lockedMemory({ memlockBytesMax }: ContainerHost): object {
  const limit = { Name: "memlock", Soft: -1, Hard: -1 };
  return { CapAdd: ["IPC_LOCK"], ...(memlockBytesMax === null ? { Ulimits: [limit] } : {}) };
}

/** Nodes of the accelerators and of the NICs that go with them; only what is there, since the engine refuses others. */
function nodesOf(mine: Accelerator[], promised: number[], host: ContainerHost): string[] {
  if (promised.length === 0) return [];
  const nodes = [...amdNodes(mine, host), ...rdmaNodes(promised, host)];
  return [...new Set(nodes)].filter((node) => host.devices.has(node));
}

function amdNodes(mine: Accelerator[], { devices }: ContainerHost): string[] {
  const amd = mine.filter(({ vendor }) => vendor === "amd");
  if (amd.length === 0) return [];
  const isKnown = amd.every(({ device }) => device !== undefined);
  const own = isKnown
    ? amd.flatMap(({ device }) => device?.nodes ?? [])
    : [...devices.keys()].filter((node) => AMD_NODES.test(node));
  return [AMD_NODE, ...own];
}

/**
 * Whoever has the whole host has all of its NICs, also those whose link is down just now; others the nearest ones. The
 * network is a host's own, so that nodes alone keep jobs to their NICs.
 */
function rdmaNodes(promised: number[], host: ContainerHost): string[] {
  const all = host.accelerators.every(({ index }) => promised.includes(index));
  const nics = all ? host.nics : (fabricNics(promised, host) ?? []);
  return nics.length === 0 ? [] : [...nics.flatMap(({ nodes }) => nodes), RDMA_NODE];
}

function deviceOf(node: string, { devRoot }: ContainerHost): object {
  return { PathOnHost: `${devRoot}/${node}`, PathInContainer: `/dev/${node}`, CgroupPermissions: "rwm" };
}

/** By number: a name would be looked up in the image, which need not know it. Root's group is everyone's here. */
function groupsOf(nodes: string[], { devices }: ContainerHost): string[] {
  const ids = nodes.filter((node) => !node.startsWith("infiniband/")).map((node) => devices.get(node) ?? 0);
  return [...new Set(ids)]
    .filter((id) => id !== 0)
    .sort((a, b) => a - b)
    .map(String);
}

function nvidiaRequests(mine: Accelerator[], host: ContainerHost): object {
  const nvidia = mine.filter(({ vendor }) => vendor === "nvidia");
  if (nvidia.length === 0) return {};
  if (!host.nvidiaToolkit) {
    throw new Error(
      "Docker on this host cannot give containers NVIDIA's accelerators: install NVIDIA's container toolkit " +
        "(the package nvidia-container-toolkit, then `nvidia-ctk runtime configure`) and restart Docker",
    );
  }
  const DeviceIDs = nvidia.map(({ index, device }) => device?.uuid ?? String(index));
  return { DeviceRequests: [{ Driver: "nvidia", DeviceIDs, Capabilities: [["gpu", "compute", "utility"]] }] };
}

/**
 * What is really there is mounted, not a link that may lead elsewhere by then. `Mounts`, since a source that is missing is an error there, and an empty folder
 * of root's with `Binds`.
 */
function mounts({ volumes }: ContainerLaunch, { sources, modelCache }: ContainerHost): object {
  const present = volumes.filter(({ source, optional }) => !optional || sources.has(source));
  const Mounts = present.map(({ source, target }) => {
    return { Type: "bind", Source: sources.get(source) ?? source, Target: target };
  });
  if (modelCache !== null) Mounts.push({ Type: "bind", Source: modelCache, Target: CACHE_IN_CONTAINER });
  return Mounts.length === 0 ? {} : { Mounts };
}
