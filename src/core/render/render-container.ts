import { splitWords } from "../../adapters/index.ts";
import type { ServiceSpec } from "../../spec/types.ts";
import { allowedRoot } from "../placement/runtime.ts";
import type { SealedContainer } from "../secrets/sealed-text.ts";
import type { RevisionGroup } from "../services/revision.ts";
import type { FleetEntity } from "../state.ts";

const BYTES_PER_GIB = 1024 ** 3;

/**
 * What the container of a job is made of.
 * @param commands of its group, with what they refer to filled in
 * @param login what its image is pulled with
 */
export function renderContainer(
  spec: ServiceSpec,
  { spec: group, image }: RevisionGroup,
  commands: string[],
  fleet: FleetEntity | undefined,
  login: SealedContainer["registryAuth"],
): SealedContainer {
  const hostPaths = fleet?.settings.allow.hostPaths ?? [];
  return {
    image: image ?? "",
    // The login is for the registry of the service's own image; the server's are the operator's.
    registryAuth: group.image === null ? null : login,
    command: commandOf(spec, commands),
    user: spec.user,
    privileged: group.privileged,
    shmBytes: group.resources.shmSize === null ? null : Math.round(group.resources.shmSize * BYTES_PER_GIB),
    volumes: group.volumes.flatMap((volume) =>
      volume.kind === "instance"
        ? [
            {
              source: volume.instancePath,
              target: volume.path,
              optional: volume.optional,
              within: allowedRoot(volume.instancePath, hostPaths) ?? volume.instancePath,
            },
          ]
        : [],
    ),
  };
}

/** With an entrypoint the commands are its arguments, and no shell reads them. */
function commandOf({ entrypoint }: ServiceSpec, commands: string[]): SealedContainer["command"] {
  const words = entrypoint === null ? [] : splitWords(entrypoint);
  if (words.length > 0) return { kind: "argv", argv: [...words, ...commands] };
  return commands.every((command) => command.trim() === "") ? { kind: "image" } : { kind: "shell" };
}
