import type { GroupSpec, ServiceSpec } from "../../spec/types.ts";
import type { Draft } from "../draft.ts";
import { exchangesCache } from "../placement/homes.ts";
import { nearlyFull } from "../placement/room.ts";
import type { RevisionEntity } from "../state.ts";
import { hasRouter, revisionGroups } from "./revision.ts";

/**
 * What is worth saying to whoever applies a spec that is right as it stands; one sentence each.
 * @param draft after what fits was placed
 */
export function planWarnings(draft: Draft, revision: RevisionEntity): string[] {
  const warnings: string[] = [];
  if (!revision.spec.stripPrefix && hasRouter(revision)) {
    warnings.push(
      "`strip_prefix: false` makes the router see `/proxy/services/...` in every path, which it does not serve",
    );
  }
  warnings.push(...clusterWarnings(draft, revision));
  const asProcesses = processHosts(draft, revision);
  const hasProcesses = [...revisionGroups(revision)].some(
    ([name, { image }]) => image === null || asProcesses.has(name),
  );
  if (hasProcesses) warnings.push(...filesWarnings(revision));
  warnings.push(...roomWarnings(draft, revision));
  for (const [name, { spec, image, resolved }] of revisionGroups(revision)) {
    const warn = (message: string) => warnings.push(`group ${name}: ${message}`);
    for (const message of resolved.warnings) warn(message);
    const hosts = asProcesses.get(name);
    if (spec.image !== null && hosts) warn(imageUnused(spec.image, hosts));
    const idle = image === null || hosts ? containerFields(revision.spec, spec) : [];
    if (idle.length > 0) warn(`${idle.join(", ")} ${idle.length === 1 ? "means" : "mean"} nothing to processes`);
    if (image === null && (spec.python !== null || spec.nvcc || spec.docker)) warn(NO_IMAGE);
    if (spec.volumes.some(({ kind }) => kind === "network")) warn(NO_NETWORK_VOLUMES);
  }
  return warnings;
}

/** What runs stays where it is, also when its fleet becomes a cluster: then it is apart from those that it is paired with. */
function clusterWarnings(draft: Draft, revision: RevisionEntity): string[] {
  const groups = revisionGroups(revision);
  const fleets = new Set<string>();
  for (const { group, host } of draft.by("job", "service", revision.service)) {
    const role = groups.get(group)?.resolved.role;
    if (role !== undefined && exchangesCache(role)) fleets.add(draft.must("host", host).fleet);
  }
  const ids = [...fleets].sort();
  if (ids.length < 2 || !ids.some((id) => draft.get("fleet", id)?.settings.placement === "cluster")) return [];
  return [
    `prefill and decode are in the fleets ${ids.join(" and ")}, which share no interconnect (\`placement: cluster\`): ` +
      "stop the service and apply it again, and leave `fleets` of these groups out or write the same into both",
  ];
}

/** Of the hosts that it goes to, those with little room: an image or a model that is not there yet may not fit. */
function roomWarnings(draft: Draft, { service }: RevisionEntity): string[] {
  const warnings = draft.by("job", "service", service).flatMap(({ host: id, runtime }) => {
    const host = draft.must("host", id);
    return nearlyFull(host, runtime).map(
      ({ path }) => `host ${host.name}: the disk of ${path} is nearly full; what has to be fetched may not fit`,
    );
  });
  return [...new Set(warnings)].sort();
}

/** What is written of a group that only a container has. */
function containerFields({ entrypoint, user }: ServiceSpec, { privileged, volumes, resources }: GroupSpec): string[] {
  return [
    ...(entrypoint === null ? [] : ["`entrypoint`"]),
    ...(user === null ? [] : ["`user`"]),
    ...(privileged ? ["`privileged`"] : []),
    ...(resources.shmSize === null ? [] : ["`shm_size`"]),
    ...(volumes.some(({ kind }) => kind === "instance") ? ["`volumes`"] : []),
  ];
}

const NO_IMAGE =
  "the server has no image for `python`, `nvcc` or `docker` (HEADRACE_IMAGE_PYTHON, _CUDA, _DOCKER), " +
  "so the commands run as processes of their host, with what is installed there";

const NO_NETWORK_VOLUMES = "volumes of clouds are not mounted until there are such volumes";

/** The names of the hosts on which a group runs as processes, by group. */
function processHosts(draft: Draft, { service }: RevisionEntity): Map<string, string[]> {
  const hosts = new Map<string, Set<string>>();
  for (const { group, host, runtime } of draft.by("job", "service", service)) {
    if (runtime !== "process") continue;
    hosts.set(group, (hosts.get(group) ?? new Set()).add(draft.must("host", host).name));
  }
  return new Map([...hosts].map(([group, names]) => [group, [...names].sort()]));
}

function imageUnused(image: string, hosts: string[]): string {
  const where = hosts.length === 1 ? `host ${hosts[0]} has` : `${hosts.length} hosts (${hosts[0]}, ...) have`;
  return `${where} no Docker engine, so its commands run as processes there, with what is installed in place of image ${image}`;
}

/** Hosts refuse these, since a process, unlike a container, has nothing of its own outside of its job's folder. */
function filesWarnings({ spec }: RevisionEntity): string[] {
  const outside = spec.files.map(({ path }) => path).filter(leadsOut);
  const warnings: string[] = [];
  if (outside.length > 0) {
    warnings.push(
      `no replica that runs as a process will start: ${outside.map((path) => `\`${path}\``).join(", ")} under \`files\` lies outside of the folder that a job has; ` +
        "run it in a container, or write a path relative to where the commands start, e.g. `./app:app`",
    );
  }
  if (spec.files.length > 0 && spec.workingDir !== null) {
    warnings.push(
      "no replica that runs as a process will start: outside of containers `files` lie where commands start without `working_dir`; leave `working_dir` out",
    );
  }
  return warnings;
}

function leadsOut(path: string): boolean {
  if (path.startsWith("/")) return true;
  let depth = 0;
  for (const part of path.replace(/^~(\/|$)/, "").split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
