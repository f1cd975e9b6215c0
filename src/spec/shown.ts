import type {
  EntityRef,
  FileSpec,
  GpuSpec,
  GroupSpec,
  InstanceRef,
  ModelSpec,
  ProbeSpec,
  ProfileParams,
  Range,
  RateLimitSpec,
  ResourcesSpec,
  RolloutSpec,
  ScalingSpec,
  ServiceSpec,
  Share,
  VolumeMountSpec,
} from "./types.ts";

/** How each field of `T` looks to people: a short text, as near to how it is written as may be, and never a secret. */
export type Shown<T> = { readonly [F in keyof T]: (value: T[F]) => string };

export const ABSENT = "(none)";

/** Fields of a group that are compared as a whole; the others are compared part by part. */
export const SHOWN_GROUP: Shown<Omit<GroupSpec, "name" | "env" | "commands" | "resources" | "scaling" | "router">> = {
  count: showCount,
  nodes: String,
  role: orAbsent(String),
  image: orAbsent(String),
  python: orAbsent(String),
  nvcc: showFlag,
  docker: showFlag,
  privileged: showFlag,
  port: String,
  probes: (probes) => (probes === null ? "(the default)" : list(probes, showProbe)),
  volumes: (volumes) => list(volumes, showVolume),
  fleets: (fleets) => (fleets === null ? "(any)" : list(fleets, showRef)),
  spotPolicy: String,
  reservation: orAbsent(String),
};

export const SHOWN_RESOURCES: Shown<ResourcesSpec> = {
  cpu: ({ arch, count }) => `${arch === null ? "" : `${arch}:`}${showRange(count)}`,
  memory: (range) => showRange(range, "GB"),
  shmSize: orAbsent((size) => `${size}GB`),
  gpu: showGpu,
  disk: (range) => showRange(range, "GB"),
};

export const SHOWN_SCALING: Shown<ScalingSpec> = {
  metric: String,
  target: String,
  window: showSeconds,
  scaleUpDelay: showSeconds,
  scaleDownDelay: showSeconds,
};

export const SHOWN_SERVICE: Shown<Omit<ServiceSpec, "type" | "name" | "groups" | "profile" | "rollout">> = {
  model: orAbsent(showModel),
  auth: showFlag,
  entrypoint: orAbsent(String),
  shell: (shell) => shell ?? "(the image's default)",
  user: orAbsent(String),
  workingDir: orAbsent(String),
  // Both parts may be secrets written out.
  registryAuth: (auth) => (auth === null ? ABSENT : "(a login)"),
  files: (files) => list(files, showFile),
  priority: String,
  gateway: (gateway) => {
    if (gateway === null) return "(the default)";
    return typeof gateway === "boolean" ? showFlag(gateway) : showRef(gateway);
  },
  https: (https) => (https === null ? "(the default)" : String(https)),
  stripPrefix: showFlag,
  rateLimits: (limits) => list(limits, showRateLimit),
  stopDuration: (seconds) => (seconds === null ? "off" : showSeconds(seconds)),
  drainTimeout: orAbsent(showSeconds),
};

export const SHOWN_ROLLOUT: Shown<RolloutSpec> = {
  maxSurge: showShare,
  maxUnavailable: showShare,
  canary: orAbsent(({ share, holdS }) => `${showShare(share)} for ${showSeconds(holdS)}`),
};

export const SHOWN_PROFILE: Shown<ProfileParams> = {
  backends: anyOf,
  regions: anyOf,
  availabilityZones: anyOf,
  instanceTypes: anyOf,
  retry: orAbsent(({ onEvents, durationS }) => `${onEvents.join(", ")} for ${showSeconds(durationS)}`),
  maxDurationS: (seconds) => (seconds === null ? "off" : showSeconds(seconds)),
  maxPrice: orAbsent((price) => `$${price}/h`),
  creationPolicy: String,
  idleDurationS: (seconds) => (seconds === null ? "off" : showSeconds(seconds)),
  utilizationPolicy: orAbsent(
    ({ minGpuUtilization, timeWindowS }) => `${minGpuUtilization} % over ${showSeconds(timeWindowS)}`,
  ),
  startupOrder: String,
  stopCriteria: String,
  instances: (instances) => (instances === null ? "(any)" : list(instances, showInstance)),
  tags: (tags) => list(Object.entries(tags), ([name, value]) => `${name}=${value}`),
  // Whatever a cloud takes: it may hold a key.
  backendOptions: (options) => (options.length === 0 ? ABSENT : `(for ${options.length} backends)`),
};

export function showScaling({ metric, target }: ScalingSpec): string {
  return `${metric} ${target}`;
}

export function showReplicas(count: GroupSpec["count"]): string {
  return `${showCount(count)} ${count.min === 1 && count.max === 1 ? "replica" : "replicas"}`;
}

function showCount({ min, max }: GroupSpec["count"]): string {
  return min === max ? String(min) : `${min}..${max}`;
}

function showRange({ min, max }: Range, unit = ""): string {
  if (max === min) return `${min}${unit}`;
  return max === null ? `${min}${unit}..` : `${min}${unit}..${max}${unit}`;
}

function showGpu({ vendor, names, count, memory, totalMemory, computeCapability }: GpuSpec): string {
  if (count.max === 0 || (count.min === 0 && names.length === 0 && vendor === null)) return ABSENT;
  const parts = [names.length > 0 ? names.join(",") : (vendor ?? "any")];
  if (memory !== null) parts.push(showRange(memory, "GB"));
  parts.push(showRange(count));
  const more = [
    ...(totalMemory === null ? [] : [`${showRange(totalMemory, "GB")} together`]),
    ...(computeCapability === null ? [] : [`compute capability ${computeCapability.join(".")}`]),
  ];
  return [parts.join(":"), ...more].join(", ");
}

/** Headers and body may hold a key. */
function showProbe({ method, url, interval, readyAfter }: ProbeSpec): string {
  return `${method.toUpperCase()} ${url} every ${showSeconds(interval)}${readyAfter > 1 ? `, ready after ${readyAfter}` : ""}`;
}

function showVolume(volume: VolumeMountSpec): string {
  if (volume.kind === "network") return `${volume.names.join("|")}:${volume.path}`;
  return `${volume.instancePath}:${volume.path}${volume.optional ? " (optional)" : ""}`;
}

function showRef({ project, name }: EntityRef): string {
  return project === null ? name : `${project}/${name}`;
}

function showInstance(instance: InstanceRef): string {
  return "name" in instance ? instance.name : instance.hostname;
}

function showModel({ name, prefix }: ModelSpec): string {
  return prefix === "/v1" ? name : `${name} under ${prefix}`;
}

function showFile({ localPath, path }: FileSpec): string {
  return `${localPath}:${path}`;
}

function showRateLimit({ prefix, key, rps, burst }: RateLimitSpec): string {
  const by = key.type === "header" ? `header ${key.header}` : "address";
  return `${prefix} ${rps}/s${burst > 0 ? `, burst ${burst}` : ""}, by ${by}`;
}

function showShare(share: Share): string {
  return "percent" in share ? `${share.percent}%` : String(share.replicas);
}

function showFlag(flag: boolean): string {
  return String(flag);
}

/** As it would be written: the largest unit that leaves nothing over. */
function showSeconds(seconds: number): string {
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
  ] as const) {
    if (seconds > 0 && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${seconds}s`;
}

function anyOf(names: string[] | null): string {
  return names === null ? "(any)" : list(names, String);
}

function list<T>(items: readonly T[], show: (item: T) => string): string {
  return items.length === 0 ? ABSENT : items.map(show).join("; ");
}

function orAbsent<T>(show: (value: T) => string): (value: T | null) => string {
  return (value) => (value === null ? ABSENT : show(value));
}
