import { containerBody } from "./docker/container-spec.ts";
import { openDockerRuntime } from "./docker/docker-runtime.ts";
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
  /** What is kept of pulled images that no job uses, in bytes. */
  unusedImageBytesMax?: number;
}

/**
 * Opens what this host can run jobs with. A Docker engine may come and go while the agent runs, so its runtime is
 * opened in any case, and says from moment to moment whether it is usable.
 * @throws Error for people
 */
export async function openRuntimes(options: RuntimeOptions): Promise<Runtime[]> {
  const { dataDir, jobUser, dockerSocket, unusedImageBytesMax } = options;
  const processes = await openProcessRuntime({ dataDir, user: await resolveJobUser(jobUser) });
  const containers = await openDockerRuntime({
    dataDir,
    socket: dockerSocket ?? DOCKER_SOCKET,
    expected: dockerSocket !== null,
    body: async (spec) => containerBody(spec),
    ...(unusedImageBytesMax === undefined ? {} : { unusedImageBytesMax }),
  });
  return [processes, containers];
}

/** Those with which jobs can be started now. */
export function usableRuntimes(runtimes: Runtime[]): Runtime["name"][] {
  return runtimes.filter((runtime) => runtime.usable).map((runtime) => runtime.name);
}

/** Tells from now on when a runtime becomes usable or ceases to be. */
export function watchUsable(runtimes: Runtime[], changed: () => void): void {
  let last = usableRuntimes(runtimes).join();
  for (const runtime of runtimes) {
    runtime.onChange(() => {
      const now = usableRuntimes(runtimes).join();
      if (now === last) return;
      last = now;
      changed();
    });
  }
}
