import type { GroupSpec } from "../../spec/types.ts";
import type { RevisionGroup } from "../services/revision.ts";
import type { FleetEntity, HostEntity, JobEntity } from "../state.ts";

/**
 * How a job of a group runs on a host: in a container where the group has an image and the host has an engine. A fleet
 * whose hosts never had one runs everything as processes, with what is installed there; elsewhere a host whose engine
 * is away for a while is passed over rather than taken for such a one.
 *
 * @param fleetHasContainers whether any host of the fleet ever offered containers
 * @returns a text where it cannot run there, for people
 */
export function runtimeOn(
  { spec, image }: Pick<RevisionGroup, "spec" | "image">,
  { inventory, offeredContainers }: HostEntity,
  fleet: FleetEntity | undefined,
  fleetHasContainers: boolean,
): { runtime: JobEntity["runtime"] } | string {
  const { runtimes } = inventory;
  if (image === null) {
    if (!runtimes.includes("process")) return "runs containers only, and the group has no image";
    return whyNoProcess(fleet) ?? { runtime: "process" };
  }
  if (runtimes.includes("docker")) return whyNotPermitted(spec, fleet) ?? { runtime: "docker" };
  if (offeredContainers) return "its Docker engine cannot be used now (`headrace host show` says why)";
  if (fleetHasContainers) return "has no Docker engine, as other hosts of its fleet do";
  return whyNoProcess(fleet) ?? { runtime: "process" };
}

/** Why nothing runs as a process there; null when it may. */
function whyNoProcess(fleet: FleetEntity | undefined): string | null {
  if (fleet?.settings.allow.processes ?? true) return null;
  return `its fleet ${fleet?.id ?? ""} allows no processes: give the group an image and the host a Docker engine, or take \`processes: false\` out of \`allow\` in the fleet's file`;
}

/**
 * What a container of this group would do to its host that the fleet does not allow, with the line of the fleet's file
 * that would allow it; null when it may.
 */
function whyNotPermitted(group: GroupSpec, fleet: FleetEntity | undefined): string | null {
  const allow = fleet?.settings.allow;
  const lines: string[] = [];
  const wanted: string[] = [];
  if (group.privileged && !allow?.privileged) {
    wanted.push("privileged containers");
    lines.push("`privileged: true`");
  }
  const paths = instancePaths(group).filter((path) => allowedRoot(path, allow?.hostPaths ?? []) === null);
  if (paths.length > 0) {
    wanted.push(`mounting ${paths.join(", ")}`);
    lines.push(`\`host_paths: [${paths.join(", ")}]\``);
  }
  if (wanted.length === 0) return null;
  return `its fleet ${fleet?.id ?? ""} does not allow ${wanted.join(" or ")}: add ${lines.join(" and ")} to \`allow\` in the fleet's file`;
}

function instancePaths({ volumes }: GroupSpec): string[] {
  const paths = volumes.flatMap((volume) => (volume.kind === "instance" ? [volume.instancePath] : []));
  return [...new Set(paths)];
}

/** The allowed path that this one is, or lies below; null when there is none. Neither has a `..` in it. */
export function allowedRoot(path: string, hostPaths: readonly string[]): string | null {
  const parts = partsOf(path);
  return hostPaths.find((root) => partsOf(root).every((part, index) => parts[index] === part)) ?? null;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
