import type { Inventory } from "../../../src/wire/index.ts";
import type { ModelCache } from "../model-cache.ts";
import { findModelCache, type HostRoots, readContainerHost } from "./docker/container-host.ts";
import { containerBody } from "./docker/container-spec.ts";
import { openDockerRuntime } from "./docker/docker-runtime.ts";
import { Engine, withTag } from "./docker/engine.ts";
import { resolveJobUser } from "./process/job-user.ts";
import { openProcessRuntime } from "./process/process-runtime.ts";
import type { Runtime } from "./types.ts";

/** Where a Docker engine listens unless it was told otherwise. */
const DOCKER_SOCKET = "/var/run/docker.sock";

export interface RuntimeOptions {
  dataDir: string;
  /** Whom processes run as; see `resolveJobUser`. */
  jobUser: string | null;
  /** Path of the Docker engine's socket; null: where it usually is, and no word about one that is not there. */
  dockerSocket: string | null;
  /** What the host has, as it is reported, and where its devices and processes are; null: nothing will be started. */
  host: { inventory: () => Promise<Pick<Inventory, "accelerators" | "nics" | "fabric">>; roots: HostRoots } | null;
  /** Where jobs keep the models that they download; null: nowhere. */
  cache: ModelCache | null;
  /** What is kept of pulled images that no job uses, in bytes. */
  unusedImageBytesMax?: number;
}

/**
 * Opens what this host can run jobs with. A Docker engine may come and go while the agent runs, so its runtime is
 * opened in any case, and says from moment to moment whether it is usable.
 * @throws Error for people
 */
export async function openRuntimes(options: RuntimeOptions): Promise<Runtime[]> {
  const { cache, dataDir, jobUser, dockerSocket, unusedImageBytesMax, host } = options;
  const socket = dockerSocket ?? DOCKER_SOCKET;
  const engine = new Engine(socket);
  const processes = await openProcessRuntime({ dataDir, user: await resolveJobUser(jobUser), cache });
  const containers = await openDockerRuntime({
    dataDir,
    socket,
    expected: dockerSocket !== null,
    body: async (spec) => {
      if (host === null) throw new Error("nothing is started any more");
      const { Runtimes, SecurityOptions } = await engine.info();
      const { volumes = [], image = "" } = spec.launch.container ?? {};
      const mapped = (SecurityOptions ?? []).some((option) => /^name=(rootless|userns)\b/.test(option));
      const folder = await findModelCache(cache, spec.launch, await engine.image(withTag(image)), mapped);
      const inventory = await host.inventory();
      const runtimes = Object.keys(Runtimes ?? {});
      return containerBody(spec, await readContainerHost(volumes, inventory, runtimes, host.roots, folder));
    },
    ...(unusedImageBytesMax === undefined ? {} : { unusedImageBytesMax }),
  });
  return [processes, containers];
}

/** Those with which jobs can be started now. */
export function usableRuntimes(runtimes: Runtime[]): Runtime["name"][] {
  return runtimes.filter((runtime) => runtime.usable).map((runtime) => runtime.name);
}

/** Tells from now on when a runtime becomes usable or ceases to be, or has something else to say to an operator. */
export function watchRuntimes(runtimes: Runtime[], changed: () => void): void {
  const said = () => JSON.stringify(runtimes.map(({ usable, warnings }) => ({ usable, warnings })));
  let last = said();
  for (const runtime of runtimes) {
    runtime.onChange(() => {
      const now = said();
      if (now === last) return;
      last = now;
      changed();
    });
  }
}
