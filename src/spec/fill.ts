import { defaultCpuCount } from "./grammar/cpu.ts";
import { noGpu } from "./grammar/gpu.ts";
import { fillArguments } from "./grammar/run-arguments.ts";
import { type ProfileParts, profileOf } from "./schema/profile.ts";
import { ROUTER_GROUP } from "./schema/router.ts";
import type { WrittenGroup, WrittenService } from "./schema/service.ts";
import type { EnvSpec, GroupSpec, ImageSpec, ParseOptions, ResourcesSpec, RouterSpec, ServiceSpec } from "./types.ts";

/** What a group gets when neither it nor the service says anything. */
export const defaultResources: ResourcesSpec = {
  cpu: { arch: null, count: defaultCpuCount },
  memory: { min: 8, max: null },
  shmSize: null,
  gpu: noGpu,
  disk: { min: 100, max: null },
};

/**
 * What a router of our own making needs: it holds no model and only passes streams on. The cores are for its many
 * streams; the disk is for the package it is installed from.
 */
const routerResources: ResourcesSpec = {
  cpu: { arch: null, count: defaultCpuCount },
  memory: { min: 4, max: null },
  shmSize: null,
  gpu: noGpu,
  disk: { min: 10, max: null },
};

/** What every group of a service has from it. */
interface Common {
  service: WrittenService;
  parts: ProfileParts;
  options: ParseOptions;
}

/** Works out what a written service means: one spelling of groups, and in each group all that applies to it. */
export function fillService(written: WrittenService, options: ParseOptions): ServiceSpec {
  const parts = profileOf(written);
  const common = { service: written, parts, options };
  return {
    type: "service",
    name: written.name,
    groups: [
      ...writtenGroups(written).map((group, index) => fillGroup(group, index, common)),
      ...(written.router === null ? [] : [routerGroup(written.router, common)]),
    ],
    model: written.model,
    auth: written.auth,
    entrypoint: written.entrypoint,
    shell: written.shell,
    user: written.user,
    workingDir: written.working_dir,
    registryAuth: written.registry_auth,
    files: written.files,
    priority: written.priority,
    gateway: written.gateway,
    https: written.https,
    stripPrefix: written.strip_prefix,
    rateLimits: written.rate_limits,
    stopDuration: parts.stopDuration,
    drainTimeout: written.drain_timeout,
    // One more at a time, never one less.
    rollout: {
      maxSurge: written.max_surge ?? { replicas: 1 },
      maxUnavailable: written.max_unavailable ?? { replicas: 0 },
      canary: written.canary,
    },
    profile: parts.profile,
  };
}

/** The groups; a service without any is one group, of which the service's own fields say everything. */
function writtenGroups(service: WrittenService): WrittenGroup[] {
  if (service.groups !== null) return service.groups;
  if (Array.isArray(service.replicas)) return service.replicas;
  return [{ ...nothingWritten, commands: service.commands, scaling: service.scaling, count: service.replicas }];
}

/** A group that leaves everything to its service. */
const nothingWritten: WrittenGroup = {
  name: null,
  role: null,
  router: null,
  count: null,
  replicas: null,
  scaling: null,
  resources: null,
  commands: [],
  image: null,
  python: null,
  nvcc: null,
  docker: null,
  privileged: null,
  port: null,
  env: null,
  volumes: null,
  probes: null,
  nodes: null,
  fleets: null,
  spot_policy: null,
  reservation: null,
};

function fillGroup(group: WrittenGroup, index: number, common: Common): GroupSpec {
  const { service, parts, options } = common;
  const image = fillImage(group, service);
  return {
    name: group.name ?? String(index),
    count: group.replicas ?? group.count ?? { min: 1, max: 1 },
    nodes: group.nodes ?? service.nodes ?? 1,
    scaling: group.scaling,
    role: group.role,
    router: group.router,
    resources: fillResources(group.resources ?? service.resources ?? defaultResources, image),
    commands: fillArguments(group.commands, options.args ?? []),
    port: group.port ?? service.port,
    env: fillEnv(group.env, common),
    probes: group.probes ?? service.probes,
    volumes: group.volumes ?? service.volumes ?? [],
    fleets: group.fleets ?? parts.fleets,
    spotPolicy: group.spot_policy ?? parts.spotPolicy,
    reservation: group.reservation ?? parts.reservation,
    ...image,
  };
}

/**
 * The group of a router that was declared outside of one. It stands last, so that the groups of the file keep their
 * numbers. Image, volumes and probes of the service are for its workers.
 */
function routerGroup(router: RouterSpec, common: Common): GroupSpec {
  const { service, parts } = common;
  return {
    name: ROUTER_GROUP,
    count: { min: 1, max: 1 },
    nodes: 1,
    scaling: null,
    role: null,
    router,
    resources: routerResources,
    commands: [],
    image: null,
    python: null,
    nvcc: false,
    docker: false,
    privileged: false,
    port: service.port,
    env: fillEnv(null, common),
    probes: null,
    volumes: [],
    fleets: parts.fleets,
    spotPolicy: parts.spotPolicy,
    reservation: null,
  };
}

/** A variable that was given on the command line is taken from there, whatever the file says of it. */
function fillEnv(own: EnvSpec | null, { service, options }: Common): EnvSpec {
  const given = Object.fromEntries((options.env ?? []).map((name) => [name, null]));
  return { ...service.env, ...own, ...given };
}

/** The rules see to it that each field stands on one level only. */
function fillImage(group: WrittenGroup, service: WrittenService): ImageSpec {
  const docker = group.docker ?? service.docker ?? false;
  return {
    image: group.image ?? service.image,
    python: group.python ?? service.python,
    nvcc: group.nvcc ?? service.nvcc ?? false,
    docker,
    privileged: docker || (group.privileged ?? service.privileged ?? false),
  };
}

/** Without an image of its own a group runs in the base image, which is built for NVIDIA's accelerators. */
function fillResources(resources: ResourcesSpec, { image, docker }: ImageSpec): ResourcesSpec {
  const { gpu } = resources;
  const open = gpu.vendor === null && gpu.names.length === 0 && gpu.count.min > 0;
  if (!open || image !== null || docker) return resources;
  return { ...resources, gpu: { ...gpu, vendor: "nvidia" } };
}
