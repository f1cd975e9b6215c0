import { describeHardware } from "../../agents/host/inventory/describe.ts";
import { findHardware, readHardware } from "../../agents/host/inventory/hardware.ts";
import { NOTHING_KNOWN, weigh } from "../../agents/host/inventory/health.ts";
import type { ContainerHost } from "../../agents/host/runtime/docker/container-spec.ts";
import type { Inventory } from "../../src/wire/index.ts";
import type { FakeTree } from "./fake-sysfs/fake-tree.ts";
import { INVENTORY } from "./reports.ts";

/** The groups that own accelerators' nodes on Debian. */
const VIDEO = 44;
const RENDER = 106;

/** What an agent reports of a host that is made of files, with a Docker engine on it. */
export async function inventoryOf(tree: FakeTree, name: string): Promise<Inventory> {
  const trees = tree.trees();
  const found = await findHardware(trees, null);
  const readings = await readHardware(trees, null, found);
  const {
    problems: _,
    warnings: __,
    ...hardware
  } = describeHardware(found, readings, weigh(NOTHING_KNOWN, found, readings));
  return {
    ...INVENTORY,
    cpus: 192,
    memoryGib: 2_048,
    diskGib: 10_000,
    runtimes: ["docker", "process"],
    interface: name,
    ...hardware,
  };
}

/** One that has nothing but an engine. */
export const PLAIN_HOST: ContainerHost = {
  accelerators: [],
  nics: [],
  fabric: null,
  devRoot: "/dev",
  devices: new Map(),
  nvidiaToolkit: false,
  memlockBytesMax: null,
  modelCache: null,
  sources: new Map(),
};

/** The same host as its agent sees it when it starts a container: a root's engine that may raise every limit. */
export function containerHostOf(
  tree: FakeTree,
  inventory: Inventory,
  over: Partial<ContainerHost> = {},
): ContainerHost {
  const nodes = tree.paths().flatMap((path) => (path.startsWith("dev/") ? [path.slice("dev/".length)] : []));
  const groupOf = (node: string) => (node.startsWith("dri/render") ? RENDER : node === "kfd" ? VIDEO : 0);
  return {
    accelerators: inventory.accelerators,
    nics: inventory.nics,
    fabric: inventory.fabric,
    devRoot: "/dev",
    devices: new Map(nodes.map((node) => [node, groupOf(node)])),
    nvidiaToolkit: true,
    memlockBytesMax: null,
    modelCache: null,
    sources: new Map(),
    ...over,
  };
}
