import { access, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasOwnCache, type ModelCache, ownerOf } from "../../model-cache.ts";
import { pathLooks } from "../../path-looks.ts";
import type { StartSpec } from "../types.ts";
import type { ContainerHost } from "./container-spec.ts";
import type { EngineImage } from "./engine.ts";

/** Where a host's devices and processes are found; tests have others. */
export interface HostRoots {
  dev: string;
  proc: string;
}

/** Folders below `/dev` with nodes that a container may be given, and which of their names are such. */
const NODES: [folder: string, names: RegExp][] = [
  ["", /^kfd$/],
  ["dri", /^renderD\d+$/],
  ["infiniband", /^(uverbs\d+|rdma_cm)$/],
];

/** What NVIDIA's container toolkit puts on a host; the engine looks for the first of them. */
const TOOLKIT = ["/usr/bin/nvidia-container-runtime-hook", "/usr/bin/nvidia-container-toolkit"];

/** Where an engine that a distribution installed says which process it is. */
const ENGINE_PID_FILE = "/var/run/docker.pid";

/** The capability without which a process cannot raise limits: CAP_SYS_RESOURCE. */
const CAP_SYS_RESOURCE = 24n;

/** A source of a volume on a file system that is mounted from elsewhere, and busy, is found within this. */
const SOURCE_MS_MAX = 10_000;

type Volume = NonNullable<StartSpec["launch"]["container"]>["volumes"][number];

/** Nodes by their path below `/dev`, with the ids of their groups. */
export async function readDevices(dev: string): Promise<Map<string, number>> {
  const devices = new Map<string, number>();
  for (const [folder, names] of NODES) {
    for (const name of (await readdir(join(dev, folder)).catch(() => [])).sort()) {
      const found = names.test(name) ? await stat(join(dev, folder, name)).catch(() => null) : null;
      if (found) devices.set(folder === "" ? name : `${folder}/${name}`, found.gid);
    }
  }
  return devices;
}

/** @param runtimes the names of the engine's runtimes */
export async function hasNvidiaToolkit(
  runtimes: readonly string[],
  files: readonly string[] = TOOLKIT,
): Promise<boolean> {
  if (runtimes.includes("nvidia")) return true;
  const found = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Bytes that the engine may let a container lock in memory; null = any number, also where the engine's process is not
 * known: then its refusal tells.
 */
export async function readMemlockMax(proc: string, pidFile = ENGINE_PID_FILE): Promise<number | null> {
  try {
    const process = join(proc, String(Number((await readFile(pidFile, "utf8")).trim())));
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile(join(process, "status"), "utf8"))?.[1];
    if (effective !== undefined && (BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) return null;
    return parseHardMemlock(await readFile(join(process, "limits"), "utf8"));
  } catch {
    return null;
  }
}

/** The hard limit in bytes in `/proc/PID/limits`; null for none. */
function parseHardMemlock(limits: string): number | null {
  const match = /^Max locked memory\s+\S+\s+(\d+)\s/m.exec(limits);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/**
 * Where the sources of volumes really are; those that are not there are left out.
 * @throws Error for people where a link leads out of what the fleet allows to be mounted, or one does not answer
 */
export async function resolveSources(volumes: readonly Volume[]): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const { source, within = "/" } of volumes) {
    const real = await placeOf(source);
    if (real === null) continue;
    const root = (await placeOf(within)) ?? within;
    if (real !== root && !real.startsWith(root === "/" ? "/" : `${root}/`)) {
      throw new Error(
        `${source} leads to ${real}, which is not in ${within}: its fleet allows nothing else to be mounted`,
      );
    }
    sources.set(source, real);
  }
  return sources;
}

/** Where a path really is; null where there is nothing. @throws PathSilent */
async function placeOf(path: string): Promise<string | null> {
  return pathLooks.at(path, () => realpath(path).catch(() => null), SOURCE_MS_MAX);
}

/**
 * The folder of a host's model cache that a container is given; null where its service or its image keeps models
 * elsewhere, or the folder cannot be made.
 * @param mapped whether the engine gives containers users of their own
 */
export async function findModelCache(
  cache: ModelCache | null,
  { env, container }: Pick<StartSpec["launch"], "env" | "container">,
  image: Pick<EngineImage, "variables" | "user"> | null,
  mapped: boolean,
): Promise<string | null> {
  if (cache === null || container === null || image === null) return null;
  const targets = container.volumes.map(({ target }) => target);
  if (hasOwnCache([...Object.keys(env), ...image.variables], targets)) return null;
  return cache.folderOf(ownerOf(container.user ?? image.user), undefined, mapped);
}

/** All of a host that decides what a container for these volumes can be given. */
export async function readContainerHost(
  volumes: readonly Volume[],
  inventory: Pick<ContainerHost, "accelerators" | "nics" | "fabric">,
  runtimes: readonly string[],
  roots: HostRoots,
  modelCache: string | null,
): Promise<ContainerHost> {
  const { accelerators, nics, fabric } = inventory;
  return {
    accelerators,
    nics,
    fabric,
    devRoot: roots.dev,
    devices: await readDevices(roots.dev),
    nvidiaToolkit: await hasNvidiaToolkit(runtimes),
    memlockBytesMax: await readMemlockMax(roots.proc),
    modelCache,
    sources: await resolveSources(volumes),
  };
}
