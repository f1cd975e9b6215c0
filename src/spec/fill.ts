import { defaultCpuCount } from "./grammar/cpu.ts";
import { noGpu } from "./grammar/gpu.ts";
import type { WrittenGroup, WrittenService } from "./schema/service.ts";
import type {
  GroupSpec,
  ImageSpec,
  ParseOptions,
  ProfileParams,
  ResourcesSpec,
  RolloutSpec,
  ServiceSpec,
} from "./types.ts";

/** What a group gets when neither it nor the service says anything. */
const defaultResources: ResourcesSpec = {
  cpu: { arch: null, count: defaultCpuCount },
  memory: { min: 8, max: null },
  shmSize: null,
  gpu: noGpu,
  disk: { min: 100, max: null },
};

/** One more at a time, never one less. */
const defaultRollout: RolloutSpec = { maxSurge: { replicas: 1 }, maxUnavailable: { replicas: 0 }, canary: null };

const FIVE_MINUTES_S = 300;

const defaultProfile: ProfileParams = {
  backends: null,
  regions: null,
  availabilityZones: null,
  instanceTypes: null,
  retry: null,
  maxDurationS: null,
  maxPrice: null,
  creationPolicy: "reuse-or-create",
  idleDurationS: FIVE_MINUTES_S,
  utilizationPolicy: null,
  startupOrder: "any",
  stopCriteria: "all-done",
  instances: null,
  tags: {},
  backendOptions: [],
};

/** Works out what a written service means: one spelling of groups, and in each group all that applies to it. */
export function fillService(written: WrittenService, options: ParseOptions): ServiceSpec {
  return {
    type: "service",
    name: written.name,
    groups: writtenGroups(written).map((group, index) => fillGroup(group, index, written, options)),
    model: written.model,
    auth: written.auth,
    entrypoint: written.entrypoint,
    shell: written.shell,
    user: written.user,
    workingDir: written.working_dir,
    registryAuth: null,
    files: [],
    priority: 0,
    gateway: null,
    https: null,
    stripPrefix: true,
    rateLimits: [],
    stopDuration: written.stop_duration,
    drainTimeout: written.drain_timeout,
    rollout: defaultRollout,
    profile: defaultProfile,
  };
}

/** The groups; a service without any is one group that runs the service's own commands. */
function writtenGroups(service: WrittenService): WrittenGroup[] {
  if (service.groups !== null) return service.groups;
  if (Array.isArray(service.replicas)) return service.replicas;
  const { commands, image, python, nvcc, docker, privileged, scaling, resources } = service;
  const own = { commands, image, python, nvcc, docker, privileged, scaling, resources };
  return [{ ...own, name: null, role: null, router: null, count: service.replicas, replicas: null }];
}

function fillGroup(group: WrittenGroup, index: number, service: WrittenService, options: ParseOptions): GroupSpec {
  const image = fillImage(group, service);
  const given = Object.fromEntries((options.env ?? []).map((name) => [name, null]));
  return {
    name: group.name ?? String(index),
    count: group.replicas ?? group.count ?? { min: 1, max: 1 },
    nodes: 1,
    scaling: group.scaling,
    role: group.role,
    router: group.router,
    resources: fillResources(group.resources ?? service.resources ?? defaultResources, image),
    commands: group.commands,
    port: service.port,
    env: { ...service.env, ...given },
    probes: service.probes,
    volumes: service.volumes,
    fleets: null,
    spotPolicy: "on-demand",
    reservation: null,
    ...image,
  };
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
