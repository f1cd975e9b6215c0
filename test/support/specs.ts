import type { GroupSpec, ResourcesSpec, ServiceSpec } from "../../src/spec/types.ts";

const RESOURCES: ResourcesSpec = {
  cpu: { arch: null, count: { min: 1, max: null } },
  memory: { min: 0.1, max: null },
  shmSize: null,
  gpu: {
    vendor: null,
    names: [],
    count: { min: 0, max: null },
    memory: null,
    totalMemory: null,
    computeCapability: null,
  },
  disk: { min: 0.1, max: null },
};

const SGLANG = "python -m sglang.launch_server --model-path m --host $HEADRACE_ADDRESS --port $HEADRACE_PORT";

/** Groups as the language makes them, with every port flexible. */
export function routerGroup(over: Partial<GroupSpec> = {}): GroupSpec {
  const smg = "smg launch --pd-disaggregation --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT";
  return groupSpec("router", [smg], { router: { type: "smg", generated: null }, ...over });
}

export function prefillGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  const flags = "--disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT";
  return groupSpec("prefill", [`${SGLANG} ${flags}`], { count: { min: count, max: count }, ...over });
}

export function decodeGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  return groupSpec("decode", [`${SGLANG} --disaggregation-mode decode`], {
    count: { min: count, max: count },
    ...over,
  });
}

export function workerGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  return groupSpec("worker", [SGLANG], { count: { min: count, max: count }, ...over });
}

/** A group that says nothing of its own but what it is given. */
export function groupSpec(name: string, commands: string[], over: Partial<GroupSpec>): GroupSpec {
  return {
    name,
    count: { min: 1, max: 1 },
    nodes: 1,
    scaling: null,
    role: null,
    router: null,
    resources: RESOURCES,
    commands,
    image: null,
    python: null,
    nvcc: false,
    docker: false,
    privileged: false,
    port: 8000,
    env: {},
    probes: null,
    volumes: [],
    fleets: null,
    spotPolicy: "on-demand",
    reservation: null,
    ...over,
  };
}

/** `count` accelerators of a kind on top of the small default. */
export function withGpus(count: number, name = "H200"): Pick<GroupSpec, "resources"> {
  return { resources: { ...RESOURCES, gpu: { ...RESOURCES.gpu, names: [name], count: { min: count, max: count } } } };
}

export function serviceSpec(name: string, groups: GroupSpec[], over: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    type: "service",
    name,
    groups,
    model: { name: "m", prefix: "/v1" },
    auth: true,
    entrypoint: null,
    shell: null,
    user: null,
    workingDir: null,
    registryAuth: null,
    files: [],
    priority: 0,
    gateway: null,
    https: null,
    stripPrefix: true,
    rateLimits: [],
    stopDuration: 300,
    drainTimeout: null,
    rollout: { maxSurge: { replicas: 1 }, maxUnavailable: { replicas: 0 }, canary: null },
    profile: {
      backends: null,
      regions: null,
      availabilityZones: null,
      instanceTypes: null,
      retry: null,
      maxDurationS: null,
      maxPrice: null,
      creationPolicy: "reuse-or-create",
      idleDurationS: 300,
      utilizationPolicy: null,
      startupOrder: "any",
      stopCriteria: "all-done",
      instances: null,
      tags: {},
      backendOptions: [],
    },
    ...over,
  };
}
