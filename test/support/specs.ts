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
  return group("router", [smg], { router: { type: "smg" }, ...over });
}

export function prefillGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  const flags = "--disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT";
  return group("prefill", [`${SGLANG} ${flags}`], { count: { min: count, max: count }, ...over });
}

export function decodeGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  return group("decode", [`${SGLANG} --disaggregation-mode decode`], { count: { min: count, max: count }, ...over });
}

export function workerGroup(count: number, over: Partial<GroupSpec> = {}): GroupSpec {
  return group("worker", [SGLANG], { count: { min: count, max: count }, ...over });
}

function group(name: string, commands: string[], over: Partial<GroupSpec>): GroupSpec {
  return {
    name,
    count: { min: 1, max: 1 },
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
    port: 8000,
    env: {},
    groups,
    probes: null,
    model: { name: "m", prefix: "/v1" },
    auth: true,
    entrypoint: null,
    shell: null,
    user: null,
    workingDir: null,
    volumes: [],
    stopDuration: 300,
    drainTimeout: null,
    ...over,
  };
}
