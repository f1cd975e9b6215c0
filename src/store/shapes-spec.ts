import * as z from "zod";

/**
 * The stored shape of a service's spec, schema 2 of `revision`. It is written out here, apart from the language's own
 * schema, because the language may grow while a stored body stays as it was written.
 */

const range = z.strictObject({ min: z.number(), max: z.number().nullable() });

const resources = z.strictObject({
  cpu: z.strictObject({ arch: z.enum(["x86", "arm"]).nullable(), count: range }),
  memory: range,
  shmSize: z.number().nullable(),
  gpu: z.strictObject({
    vendor: z.enum(["nvidia", "amd", "google", "intel", "tenstorrent"]).nullable(),
    names: z.array(z.string()),
    count: range,
    memory: range.nullable(),
    totalMemory: range.nullable(),
    computeCapability: z.tuple([z.number(), z.number()]).nullable(),
  }),
  disk: range,
});

const probe = z.strictObject({
  type: z.literal("http"),
  url: z.string(),
  method: z.enum(["get", "post", "put", "delete", "patch", "head"]),
  headers: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  body: z.string().nullable(),
  timeout: z.number(),
  interval: z.number(),
  readyAfter: z.number(),
  untilReady: z.boolean(),
});

const scaling = z.strictObject({
  metric: z.literal("rps"),
  target: z.number(),
  window: z.number(),
  scaleUpDelay: z.number(),
  scaleDownDelay: z.number(),
});

const share = z.union([z.strictObject({ replicas: z.number() }), z.strictObject({ percent: z.number() })]);

const entityRef = z.strictObject({ project: z.string().nullable(), name: z.string() });

const volumeMount = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("instance"),
    instancePath: z.string(),
    path: z.string(),
    optional: z.boolean(),
  }),
  z.strictObject({ kind: z.literal("network"), names: z.array(z.string()), path: z.string() }),
]);

const group = z.strictObject({
  name: z.string(),
  count: z.strictObject({ min: z.number(), max: z.number() }),
  nodes: z.number(),
  scaling: scaling.nullable(),
  role: z.enum(["router", "prefill", "decode", "worker"]).nullable(),
  router: z
    .strictObject({
      type: z.enum(["smg", "dynamo"]),
      generated: z
        .strictObject({
          policy: z.enum(["cache_aware", "power_of_two", "random", "round_robin"]).nullable(),
          pdDisaggregation: z.boolean(),
        })
        .nullable(),
    })
    .nullable(),
  resources,
  commands: z.array(z.string()),
  image: z.string().nullable(),
  python: z.string().nullable(),
  nvcc: z.boolean(),
  docker: z.boolean(),
  privileged: z.boolean(),
  port: z.number(),
  env: z.record(z.string(), z.string().nullable()),
  probes: z.array(probe).nullable(),
  volumes: z.array(volumeMount),
  fleets: z.array(entityRef).nullable(),
  spotPolicy: z.enum(["spot", "on-demand", "auto"]),
  reservation: z.string().nullable(),
});

const texts = z.array(z.string()).nullable();

const instanceRef = z.union([z.strictObject({ name: z.string() }), z.strictObject({ hostname: z.string() })]);

const profile = z.strictObject({
  backends: texts,
  regions: texts,
  availabilityZones: texts,
  instanceTypes: texts,
  retry: z
    .strictObject({
      onEvents: z.array(z.enum(["no-capacity", "interruption", "error"])),
      durationS: z.number(),
    })
    .nullable(),
  maxDurationS: z.number().nullable(),
  maxPrice: z.number().nullable(),
  creationPolicy: z.enum(["reuse", "reuse-or-create"]),
  idleDurationS: z.number().nullable(),
  utilizationPolicy: z.strictObject({ minGpuUtilization: z.number(), timeWindowS: z.number() }).nullable(),
  startupOrder: z.enum(["any", "master-first", "workers-first"]),
  stopCriteria: z.enum(["all-done", "master-done"]),
  instances: z.array(instanceRef).nullable(),
  tags: z.record(z.string(), z.string()),
  backendOptions: z.array(z.record(z.string(), z.unknown())),
});

export const serviceSpec = z.strictObject({
  type: z.literal("service"),
  name: z.string(),
  groups: z.array(group),
  model: z.strictObject({ name: z.string(), prefix: z.string() }).nullable(),
  auth: z.boolean(),
  entrypoint: z.string().nullable(),
  shell: z.string().nullable(),
  user: z.string().nullable(),
  workingDir: z.string().nullable(),
  registryAuth: z.strictObject({ username: z.string(), password: z.string() }).nullable(),
  files: z.array(z.strictObject({ localPath: z.string(), path: z.string() })),
  priority: z.number(),
  gateway: z.union([z.boolean(), entityRef]).nullable(),
  https: z.union([z.boolean(), z.literal("auto")]).nullable(),
  stripPrefix: z.boolean(),
  rateLimits: z.array(
    z.strictObject({
      prefix: z.string(),
      key: z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("ip_address") }),
        z.strictObject({ type: z.literal("header"), header: z.string() }),
      ]),
      rps: z.number(),
      burst: z.number(),
    }),
  ),
  stopDuration: z.number().nullable(),
  drainTimeout: z.number().nullable(),
  rollout: z.strictObject({
    maxSurge: share,
    maxUnavailable: share,
    canary: z.strictObject({ share, holdS: z.number() }).nullable(),
  }),
  profile,
});
