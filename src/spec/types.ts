import type { FleetSpec } from "./types-fleet.ts";
import type { GatewaySpec } from "./types-gateway.ts";
import type { VolumeSpec } from "./types-volume.ts";

/** A range of numbers; `max: null` means open above. A scalar `n` is `{min: n, max: n}`. */
export interface Range {
  min: number;
  max: number | null;
}

export type Vendor = "nvidia" | "amd" | "google" | "intel" | "tenstorrent";

/** What a group asks of accelerators. `count.max` 0 means none. */
export interface GpuSpec {
  vendor: Vendor | null;
  /** Names as written, e.g. `H100`; compared without case; empty = any. */
  names: string[];
  count: Range;
  /** GiB per accelerator. */
  memory: Range | null;
  /** GiB of all accelerators together. */
  totalMemory: Range | null;
  computeCapability: [number, number] | null;
}

/** What one job needs. Memory and disk in GiB. */
export interface ResourcesSpec {
  cpu: { arch: "x86" | "arm" | null; count: Range };
  memory: Range;
  shmSize: number | null;
  gpu: GpuSpec;
  disk: Range;
}

export interface ProbeSpec {
  type: "http";
  url: string;
  method: "get" | "post" | "put" | "delete" | "patch" | "head";
  headers: { name: string; value: string }[];
  body: string | null;
  /** Seconds. */
  timeout: number;
  /** Seconds, from the end of one probe to the start of the next. */
  interval: number;
  readyAfter: number;
  untilReady: boolean;
}

export interface ScalingSpec {
  metric: "rps";
  target: number;
  /** Seconds. */
  window: number;
  scaleUpDelay: number;
  scaleDownDelay: number;
}

export type Role = "router" | "prefill" | "decode" | "worker";
export type RouterType = "smg" | "dynamo";

/** How SMG chooses a worker, in its own words. */
export type RouterPolicy = "cache_aware" | "power_of_two" | "random" | "round_robin";

export interface RouterSpec {
  type: RouterType;
  /**
   * Set for a router that was declared outside a group (on the service or, in older files, on its gateway): its launch
   * line is made by the router's adapter. `policy: null` is the router's own default.
   */
  generated: { policy: RouterPolicy | null; pdDisaggregation: boolean } | null;
}

/** Where a job's files and commands run: image or the base image with python / nvcc / docker. */
export interface ImageSpec {
  image: string | null;
  python: string | null;
  nvcc: boolean;
  docker: boolean;
  privileged: boolean;
}

/** Names another resource; `project: null` is the own project. */
export interface EntityRef {
  project: string | null;
  name: string;
}

export type SpotPolicy = "spot" | "on-demand" | "auto";

/** So many replicas, or so many per cent of the group's. */
export type Share = { replicas: number } | { percent: number };

/** How a new revision replaces the old one. */
export interface RolloutSpec {
  maxSurge: Share;
  maxUnavailable: Share;
  /** How much of the new revision runs first, and for how many seconds before the rest follows; null = no canary. */
  canary: { share: Share; holdS: number } | null;
}

/**
 * One group of replicas, with everything that applies to it: what the service says for all of its groups is already in
 * here. Texts that may hold references (`${{ ... }}`; commands, values of `env`, probes) are kept as written, `$$`
 * and all; `interpolate` reads them.
 */
export interface GroupSpec extends ImageSpec {
  name: string;
  /** Replicas; until scaling exists `min` of them run. */
  count: { min: number; max: number };
  /** Hosts that one replica spans. */
  nodes: number;
  scaling: ScalingSpec | null;
  /** As written; null = read from the commands by the engine adapter. */
  role: Role | null;
  router: RouterSpec | null;
  resources: ResourcesSpec;
  /** Never empty unless `image` is set or the router is generated. */
  commands: string[];
  port: number;
  env: EnvSpec;
  /** null = the default probe of the role (see adapters); [] = ready at once. */
  probes: ProbeSpec[] | null;
  volumes: VolumeMountSpec[];
  /** Fleets whose hosts may run it; null = any. */
  fleets: EntityRef[] | null;
  spotPolicy: SpotPolicy;
  reservation: string | null;
}

/** `null` = passed through from the environment of whoever applies. Values are kept as written, see `GroupSpec`. */
export type EnvSpec = Record<string, string | null>;

/** A folder or file of the host. */
export interface InstanceVolumeSpec {
  kind: "instance";
  instancePath: string;
  path: string;
  optional: boolean;
}

/** A volume of a cloud; of several names one that fits is taken. */
export interface NetworkVolumeSpec {
  kind: "network";
  names: string[];
  path: string;
}

export type VolumeMountSpec = InstanceVolumeSpec | NetworkVolumeSpec;

export interface ModelSpec {
  name: string;
  /** Prefix of the OpenAI routes on the replica, e.g. `/v1`. */
  prefix: string;
}

/** A file or folder of whoever applies, and where a replica finds it. */
export interface FileSpec {
  /** As written, relative to the configuration's folder unless absolute. */
  localPath: string;
  path: string;
}

/** Both are kept as written: `${{ env.X }}` and `${{ secrets.X }}` may stand in them. */
export interface RegistryAuthSpec {
  username: string;
  password: string;
}

export interface RateLimitSpec {
  prefix: string;
  /** What is counted apart: callers' addresses, or the values of a header. */
  key: { type: "ip_address" } | { type: "header"; header: string };
  /** Requests per second. */
  rps: number;
  burst: number;
}

export type RetryEvent = "no-capacity" | "interruption" | "error";

/** An existing host that may be used. */
export type InstanceRef = { name: string } | { hostname: string };

/** What a file or a profile says about where and how long its replicas run. Lists that are null allow anything. */
export interface ProfileParams {
  backends: string[] | null;
  regions: string[] | null;
  availabilityZones: string[] | null;
  instanceTypes: string[] | null;
  /** null = no retrying was asked for. Seconds. */
  retry: { onEvents: RetryEvent[]; durationS: number } | null;
  /** Seconds a service may run; null = for ever. */
  maxDurationS: number | null;
  /** Dollars per hour and host. */
  maxPrice: number | null;
  creationPolicy: "reuse" | "reuse-or-create";
  /** Seconds that an unused cloud host stays; null = for ever. */
  idleDurationS: number | null;
  utilizationPolicy: { minGpuUtilization: number; timeWindowS: number } | null;
  startupOrder: "any" | "master-first" | "workers-first";
  stopCriteria: "all-done" | "master-done";
  instances: InstanceRef[] | null;
  tags: Record<string, string>;
  /** By backend; only `vastai` has any. */
  backendOptions: Record<string, unknown>[];
}

/** A service after parsing: every default filled in, and each group complete in itself. */
export interface ServiceSpec {
  type: "service";
  name: string;
  groups: GroupSpec[];
  model: ModelSpec | null;
  auth: boolean;
  entrypoint: string | null;
  /** `sh`, `bash` or an absolute path; null = `/bin/sh` with an image, else `/bin/bash`. */
  shell: string | null;
  user: string | null;
  workingDir: string | null;
  registryAuth: RegistryAuthSpec | null;
  files: FileSpec[];
  /** 0 to 100; who has more is placed first. */
  priority: number;
  /** null = the project's default gateway if it has one; true = that, which must exist; false = none. */
  gateway: boolean | EntityRef | null;
  https: boolean | "auto" | null;
  /** Whether replicas see request paths without the proxy's own prefix. */
  stripPrefix: boolean;
  rateLimits: RateLimitSpec[];
  /** Seconds; null = off (no deadline of its own: 5 minutes). */
  stopDuration: number | null;
  /** Seconds; null = `stopDuration`. */
  drainTimeout: number | null;
  rollout: RolloutSpec;
  profile: ProfileParams;
}

/** One thing wrong in a file. Line and column count from 1. */
export interface SpecIssue {
  /** Set where it is another file than the configuration, which is the one with the profiles. */
  file?: string;
  line: number;
  column: number;
  /** e.g. `replicas[1].resources.gpu`; empty for the document. */
  path: string;
  /** What was found, what is wrong, what to write instead; one or two plain sentences. */
  message: string;
}

/** What besides the text decides what a configuration means. */
export interface ParseOptions {
  /** A file of profiles, and which of them to use; `name: null` is the one that is marked as default, if any. */
  profiles?: { text: string; file: string; name: string | null };
  /** Arguments that stand for `${{ run.args }}`. */
  args?: readonly string[];
  /** Variables given on the command line: passed through in every group, whatever the file says of them. */
  env?: readonly string[];
}

/**
 * What a configuration says. `notes` are fields that were understood and act only when something else is there; each
 * says what.
 */
export type ParsedConfig =
  | (Described & { ok: true; notes: SpecIssue[]; issues: [] })
  | { ok: false; type: string | null; issues: SpecIssue[] };

/** What a file describes, by its `type`. */
export type Described =
  | { type: "service"; spec: ServiceSpec }
  | { type: "fleet"; spec: FleetSpec }
  | { type: "gateway"; spec: GatewaySpec }
  | { type: "volume"; spec: VolumeSpec };
