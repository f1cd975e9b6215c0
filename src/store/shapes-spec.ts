import * as z from "zod";

/**
 * The stored shape of a service's spec, schema 1 of `revision`. It is written out here, apart from the language's own
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

const group = z.strictObject({
  name: z.string(),
  count: z.strictObject({ min: z.number(), max: z.number() }),
  scaling: scaling.nullable(),
  role: z.enum(["router", "prefill", "decode", "worker"]).nullable(),
  router: z.strictObject({ type: z.enum(["smg", "dynamo"]) }).nullable(),
  resources,
  commands: z.array(z.string()),
  image: z.string().nullable(),
  python: z.string().nullable(),
  nvcc: z.boolean(),
  docker: z.boolean(),
  privileged: z.boolean(),
});

export const serviceSpec = z.strictObject({
  type: z.literal("service"),
  name: z.string(),
  port: z.number(),
  env: z.record(z.string(), z.string().nullable()),
  groups: z.array(group),
  probes: z.array(probe).nullable(),
  model: z.strictObject({ name: z.string(), prefix: z.string() }).nullable(),
  auth: z.boolean(),
  entrypoint: z.string().nullable(),
  shell: z.string().nullable(),
  user: z.string().nullable(),
  workingDir: z.string().nullable(),
  volumes: z.array(z.strictObject({ instancePath: z.string(), path: z.string(), optional: z.boolean() })),
  stopDuration: z.number().nullable(),
  drainTimeout: z.number().nullable(),
});
