import fc from "fast-check";
import { completeGpu, noGpu } from "../grammar/gpu.ts";
import { readTemplate } from "../grammar/interpolation.ts";
import type {
  EntityRef,
  EnvSpec,
  GpuSpec,
  ProbeSpec,
  ProfileParams,
  Range,
  RateLimitSpec,
  ResourcesSpec,
  RolloutSpec,
  ScalingSpec,
  Share,
  VolumeMountSpec,
} from "../types.ts";

/** Specs' parts as a file can describe them, for property tests. The types see to it that no field is forgotten. */

/** Words that YAML, a shell or a grammar of ours could take for something else. */
const awkward = fc.constantFrom(
  ...[
    "on",
    "no",
    "~",
    "null",
    "true",
    "010",
    "1.10",
    "1e3",
    "80:30",
    "2024-01-01",
    "..",
    "1..2",
    "=",
    "<<",
    "- a",
    "a: b",
  ],
  ...[
    "#",
    "a #b",
    "'",
    '"',
    "\\",
    "\\n",
    "|",
    ">",
    "&a",
    "*a",
    "!a",
    "%",
    "@",
    "`",
    "{}",
    "[]",
    " a",
    "a ",
    "\t",
    "a,b",
    "a:",
  ],
  ...[
    "a\nb",
    "a\nb\n",
    "a\n\nb\n\n",
    "\na",
    "a \nb",
    "a\n  b\n",
    "---",
    "...",
    "$",
    "$$",
    "$HOME",
    "${A}",
    "\u0085",
    "\u2028",
  ],
  ...["\ufeff", "\u00a0", "\ud800", "é", "日本", "😀", "\r\n", "\u007f", "\u0001"],
);

/** Any text without a reference. */
export const anyText = fc
  .array(fc.oneof(awkward, fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 4 })
  .map((parts) => parts.join("").replaceAll("\0", ""))
  .filter((text) => {
    const read = readTemplate(text);
    return read.ok && read.value.every((part) => typeof part === "string");
  });

const someText = anyText.filter((text) => text.trim() !== "");

export const command = fc.oneof(someText, fc.constant("python -m server \\\n  --port 8000\n"));

/** Names of fleets, gateways and services; some are words that mean something where they stand. */
export const name = fc.oneof(
  fc.constantFrom("on", "no", "off", "null", "gpu-hosts"),
  fc.stringMatching(/^[a-z][a-z0-9-]{1,40}$/),
);

export const ref: fc.Arbitrary<EntityRef> = fc.record({ project: orNull(name), name });

export const port = fc.integer({ min: 1, max: 65_535 });

export const seconds = fc.oneof(
  fc.constantFrom(0, 1, 30, 59, 60, 90, 3600, 86_400, 1.5),
  fc.integer({ min: 0, max: 10 ** 7 }),
);

const amount = fc.oneof(
  fc.integer({ min: 0, max: 10_000 }),
  fc.integer({ min: 1, max: 4096 }).map((mb) => mb / 1024),
  fc.constantFrom(0.1, 1.5, 1e-7, 2 ** 60, 1e21),
);

export function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

function rangeOf(end: fc.Arbitrary<number>): fc.Arbitrary<Range> {
  return fc
    .tuple(end, orNull(end))
    .map(([a, b]) => (b === null ? { min: a, max: null } : { min: Math.min(a, b), max: Math.max(a, b) }));
}

const gpu: fc.Arbitrary<GpuSpec> = fc.oneof(
  fc.constant(noGpu),
  fc
    .record({
      vendor: fc.option(fc.constantFrom("nvidia", "amd", "google", "intel", "tenstorrent"), { nil: null }),
      names: fc.uniqueArray(
        fc.constantFrom("H100", "A100", "MI300X", "v5litepod-8", "tpu-x", "RTX 4090", "4090", "tt", "a b", "odd"),
        {
          maxLength: 3,
        },
      ),
      count: rangeOf(fc.integer({ min: 0, max: 1024 })),
      memory: orNull(rangeOf(amount)),
      totalMemory: orNull(rangeOf(amount)),
      computeCapability: orNull(fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999 }))),
    })
    .map((written) => completeGpu(written)),
);

export const resources: fc.Arbitrary<ResourcesSpec> = fc.record({
  cpu: fc.record({
    arch: fc.constantFrom(null, "x86" as const, "arm" as const),
    count: fc.oneof(fc.constant({ min: 2, max: null }), rangeOf(fc.integer({ min: 0, max: 65_536 }))),
  }),
  memory: fc.oneof(fc.constant({ min: 8, max: null }), rangeOf(amount)),
  shmSize: orNull(amount),
  gpu,
  disk: fc.oneof(fc.constant({ min: 100, max: null }), rangeOf(amount)),
});

const headerValue = fc.stringMatching(/^[!-~\u00a1-\u00ff][ -#%-~]{0,20}$/).filter((text) => !text.includes("$"));

const probe: fc.Arbitrary<ProbeSpec> = fc.record({
  type: fc.constant("http"),
  url: fc.constantFrom("/", "/health", "/v1/models?a=b#c", "/a:b"),
  method: fc.constantFrom("get", "post", "put", "delete", "patch"),
  headers: fc.array(fc.record({ name: fc.constantFrom("Content-Type", "X-1", "~"), value: headerValue }), {
    maxLength: 3,
  }),
  body: orNull(someText),
  timeout: fc.constantFrom(1, 10, 90, 300),
  interval: fc.integer({ min: 1, max: 10_000 }),
  readyAfter: fc.integer({ min: 1, max: 1000 }),
  untilReady: fc.boolean(),
});

export const probes = fc
  .uniqueArray(probe, { maxLength: 3, selector: (one) => JSON.stringify(one) })
  // A body goes with every method but a written get.
  .map((list) => list.map((one) => ({ ...one, body: one.body?.slice(0, 2000) ?? null })));

const paths = fc.constantFrom("/", "/mnt/models", "/with space", "/a:b", "/日本", "/#");

export const volumes: fc.Arbitrary<VolumeMountSpec[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("instance" as const), instancePath: paths, path: paths, optional: fc.boolean() }),
    fc.record({
      kind: fc.constant("network" as const),
      names: fc.array(name, { minLength: 1, maxLength: 3 }),
      path: paths,
    }),
  ),
  { maxLength: 3 },
);

/** Variables in the mapping's form, whose names may be odd, or in the list's, whose values may be passed on. */
export const env: fc.Arbitrary<EnvSpec> = fc.oneof(
  fc.dictionary(fc.constantFrom("A", "on", "a.b", "1", "x-y", "a b", "日"), anyText, { maxKeys: 4 }),
  fc.dictionary(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/), orNull(anyText), { maxKeys: 4 }),
);

export const scaling: fc.Arbitrary<ScalingSpec> = fc.record({
  metric: fc.constant("rps"),
  target: fc.oneof(fc.constantFrom(0.5, 3), fc.integer({ min: 1, max: 1000 })),
  window: fc.constantFrom(30, 60, 300),
  scaleUpDelay: seconds,
  scaleDownDelay: seconds,
});

const share: fc.Arbitrary<Share> = fc.oneof(
  fc.record({ replicas: fc.integer({ min: 1, max: 10_000 }) }),
  fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
);

const none = fc.constantFrom({ replicas: 0 }, { percent: 0 });

/** Something has to be allowed: one more, or one less. */
export const rollout: fc.Arbitrary<RolloutSpec> = fc
  .oneof(fc.tuple(share, fc.oneof(share, none)), fc.tuple(none, share))
  .chain(([maxSurge, maxUnavailable]) =>
    fc.record({
      maxSurge: fc.constant(maxSurge),
      maxUnavailable: fc.constant(maxUnavailable),
      canary: orNull(fc.record({ share, holdS: seconds })),
    }),
  );

export const rateLimits: fc.Arbitrary<RateLimitSpec[]> = fc.uniqueArray(
  fc.record({
    prefix: fc.constantFrom("/", "/v1/", "/v1/chat#x"),
    key: fc.oneof(
      fc.constant({ type: "ip_address" as const }),
      fc.record({ type: fc.constant("header" as const), header: fc.constantFrom("X-API-Key", "1") }),
    ),
    rps: fc.constantFrom(0.5, 1, 1000),
    burst: fc.integer({ min: 0, max: 1000 }),
  }),
  { maxLength: 3, selector: ({ prefix }) => prefix },
);

const cloudNames = orNull(
  fc.array(fc.constantFrom("eu-west-1", "on", "1", "a,b", "x:y", "#"), { minLength: 1, maxLength: 3 }),
);
const tagValue = fc.stringMatching(/^[a-zA-Z0-9 .:/=_\-+@]{0,20}$/);
const events = fc.subarray(["no-capacity", "interruption", "error"] as const, { minLength: 1 });

/** What services and cloud fleets say about the hosts that will do. */
export const offers = {
  backends: orNull(fc.subarray(["aws", "gcp", "kubernetes", "vastai"], { minLength: 1 })),
  regions: cloudNames,
  availabilityZones: cloudNames,
  instanceTypes: cloudNames,
  retry: orNull(fc.record({ onEvents: events, durationS: fc.oneof(fc.constant(3600), seconds) })),
  maxPrice: orNull(fc.constantFrom(0.5, 3, 1e21)),
  tags: fc.dictionary(fc.stringMatching(/^[-a-zA-Z0-9][_\-a-zA-Z0-9]{0,9}$/), tagValue, { maxKeys: 3 }),
  backendOptions: fc.constantFrom<Record<string, unknown>[]>(
    [],
    [{ type: "vastai", min_reliability: 0.9, offer: ["a", "on"], on: true }],
  ),
};

export const profile: fc.Arbitrary<ProfileParams> = fc.record({
  ...offers,
  maxDurationS: orNull(seconds),
  creationPolicy: fc.constantFrom("reuse", "reuse-or-create"),
  idleDurationS: orNull(fc.oneof(fc.constant(300), seconds)),
  utilizationPolicy: orNull(
    fc.record({
      minGpuUtilization: fc.integer({ min: 0, max: 100 }),
      timeWindowS: fc.integer({ min: 300, max: 10_000 }),
    }),
  ),
  startupOrder: fc.constantFrom("any", "master-first", "workers-first"),
  stopCriteria: fc.constantFrom("all-done", "master-done"),
  instances: orNull(
    fc.array(
      fc.oneof(
        fc.record({ name: fc.constantFrom("gpu-1", "10.0.0.5", "on", "1") }),
        fc.record({ hostname: fc.constantFrom("gpu-1.example.com", "fe80::1") }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  ),
});
