import type { EnvSpec, GroupSpec, ProbeSpec, ScalingSpec, VolumeMountSpec } from "../types.ts";
import { writeResources } from "./resources.ts";
import { unless, writeDuration, writeRange, writeRef } from "./scalars.ts";
import type { Written } from "./yaml.ts";

/** Fields as a mapping holds them; undefined is left out. */
export type Fields = Record<string, Written | undefined>;

/** How many replicas, and what makes them more or fewer. */
export function writeCount({ count, scaling }: GroupSpec): Fields {
  return {
    replicas: count.min === count.max ? count.min : writeRange(count),
    scaling: scaling === null ? undefined : writeScaling(scaling),
  };
}

/** What says where the commands run. All of it stands on one level, since some of these fields exclude each other. */
export function writeImage(group: GroupSpec): Fields {
  return {
    image: group.image ?? undefined,
    python: group.python ?? undefined,
    nvcc: unless(false, group.nvcc),
    docker: unless(false, group.docker),
    // `docker` brings it along.
    privileged: group.privileged && !group.docker ? true : undefined,
  };
}

/** What a service may say for all of its groups, and a group in its place. */
export function writeReplica(group: GroupSpec): Fields {
  return {
    resources: writeResources(group.resources),
    volumes: group.volumes.length === 0 ? undefined : group.volumes.map(writeVolume),
    probes: group.probes === null ? undefined : group.probes.map(writeProbe),
    nodes: unless(1, group.nodes),
    ...writeFleets(group),
  };
}

export function writeFleets({ fleets }: GroupSpec): Fields {
  return { fleets: fleets === null ? undefined : fleets.map(writeRef) };
}

/** What stands on the service or on its groups, never on both. */
export function writeHosting(group: GroupSpec): Fields {
  return { spot_policy: unless("on-demand", group.spotPolicy), reservation: group.reservation ?? undefined };
}

/** The list form where a variable is passed on, which the mapping cannot say. */
export function writeEnv(env: EnvSpec): Written | undefined {
  const entries = Object.entries(env);
  if (entries.length === 0) return undefined;
  if (entries.every(([, value]) => value !== null)) return env as Record<string, string>;
  return entries.map(([name, value]) => (value === null ? name : `${name}=${value}`));
}

function writeScaling(scaling: ScalingSpec): Written {
  return {
    metric: scaling.metric,
    target: scaling.target,
    window: scaling.window === 60 ? undefined : writeDuration(scaling.window),
    scale_up_delay: scaling.scaleUpDelay === 300 ? undefined : writeDuration(scaling.scaleUpDelay),
    scale_down_delay: scaling.scaleDownDelay === 600 ? undefined : writeDuration(scaling.scaleDownDelay),
  };
}

function writeProbe(probe: ProbeSpec): Written {
  return {
    type: probe.type,
    url: unless("/", probe.url),
    method: unless("get", probe.method),
    headers: probe.headers.length === 0 ? undefined : probe.headers.map(({ name, value }) => ({ name, value })),
    body: probe.body ?? undefined,
    timeout: probe.timeout === 10 ? undefined : writeDuration(probe.timeout),
    interval: probe.interval === 15 ? undefined : writeDuration(probe.interval),
    ready_after: unless(1, probe.readyAfter),
    until_ready: unless(false, probe.untilReady),
  };
}

function writeVolume(volume: VolumeMountSpec): Written {
  if (volume.kind === "network") return { name: volume.names, path: volume.path };
  const { instancePath, path, optional } = volume;
  const isShort = !optional && !/[:]/.test(instancePath + path);
  return isShort ? `${instancePath}:${path}` : { instance_path: instancePath, path, optional: unless(false, optional) };
}
