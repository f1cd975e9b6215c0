import type { StartSpec } from "../types.ts";
import type { ContainerBody } from "./container-body.ts";

/**
 * What the container of a job is created from. Pure. It shares its host's network, so that a job is reached at the port
 * that it was promised and its peers reach it there, as a process of the host would be.
 * @throws Error for people
 */
export function containerBody({ launch, env }: StartSpec): ContainerBody {
  const { container, shell, script, workingDir } = launch;
  if (container === null) throw new Error("it says nothing of a container");
  const command = {
    shell: { Entrypoint: [shell, "-i", "-c"], Cmd: [script] },
    // An empty word takes the image's own away.
    argv: { Entrypoint: [""], Cmd: container.command.kind === "argv" ? container.command.argv : [] },
    image: {},
  }[container.command.kind];
  return {
    Image: container.image,
    ...command,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(workingDir === null ? {} : { WorkingDir: workingDir }),
    ...(container.user === null ? {} : { User: container.user }),
    HostConfig: {
      NetworkMode: "host",
      Privileged: container.privileged,
      ...(container.shmBytes === null ? { IpcMode: "host" } : { ShmSize: container.shmBytes }),
      Mounts: container.volumes.map(({ source, target }) => ({ Type: "bind", Source: source, Target: target })),
    },
  };
}
