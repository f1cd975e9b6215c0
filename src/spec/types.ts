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

/** Where a job's files and commands run: image or the base image with python / nvcc / docker. */
export interface ImageSpec {
  image: string | null;
  python: string | null;
  nvcc: boolean;
  docker: boolean;
  privileged: boolean;
}

export interface GroupSpec extends ImageSpec {
  name: string;
  /** Replicas; until scaling exists `min` of them run. */
  count: { min: number; max: number };
  scaling: ScalingSpec | null;
  /** As written; null = read from the commands by the engine adapter. */
  role: Role | null;
  router: { type: RouterType } | null;
  resources: ResourcesSpec;
  /** Never empty unless `image` is set. */
  commands: string[];
}

/** `null` = passed through from the environment of whoever applies. */
export type EnvSpec = Record<string, string | null>;

export interface InstanceVolumeSpec {
  instancePath: string;
  path: string;
  optional: boolean;
}

export interface ModelSpec {
  name: string;
  /** Prefix of the OpenAI routes on the replica, e.g. `/v1`. */
  prefix: string;
}

/** A service after parsing: every default filled in, service-level image settings copied into the groups. */
export interface ServiceSpec {
  type: "service";
  name: string;
  port: number;
  env: EnvSpec;
  groups: GroupSpec[];
  /** null = the default probe of the role (see adapters); [] = ready at once. */
  probes: ProbeSpec[] | null;
  model: ModelSpec | null;
  auth: boolean;
  entrypoint: string | null;
  /** `sh`, `bash` or an absolute path; null = `/bin/sh` with an image, else `/bin/bash`. */
  shell: string | null;
  user: string | null;
  workingDir: string | null;
  volumes: InstanceVolumeSpec[];
  /** Seconds; null = off (no deadline of its own: 5 minutes). */
  stopDuration: number | null;
  /** Seconds; null = `stopDuration`. */
  drainTimeout: number | null;
}

/** One thing wrong in a file. Line and column count from 1. */
export interface SpecIssue {
  line: number;
  column: number;
  /** e.g. `replicas[1].resources.gpu`; empty for the document. */
  path: string;
  /** What was found, what is wrong, what to write instead; one or two plain sentences. */
  message: string;
}

export type ParsedConfig =
  | { ok: true; type: "service"; spec: ServiceSpec; issues: [] }
  | { ok: false; type: string | null; issues: SpecIssue[] };
