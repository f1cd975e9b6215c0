import fc from "fast-check";
import type { GroupSpec, ImageSpec, RouterPolicy, ServiceSpec } from "../types.ts";
import {
  anyText,
  command,
  env,
  name,
  orNull,
  port,
  probes,
  profile,
  rateLimits,
  ref,
  resources,
  rollout,
  scaling,
  seconds,
  volumes,
} from "./spec-parts.ts";

const plainImage: ImageSpec = { image: null, python: null, nvcc: false, docker: false, privileged: false };

/** Every way to say where commands run; some exclude others. */
const image: fc.Arbitrary<ImageSpec> = fc
  .oneof(
    fc.record({ image: fc.constantFrom("nginx", "org/image:1.10@sha256:00", "1"), privileged: fc.boolean() }),
    fc.record({ python: fc.constantFrom("3.9", "3.10", "3.12"), nvcc: fc.boolean() }),
    fc.record({ nvcc: fc.boolean(), privileged: fc.boolean() }),
    fc.constant({ docker: true, privileged: true }),
  )
  .map((some) => ({ ...plainImage, ...some }));

const count = fc.oneof(
  fc.integer({ min: 0, max: 10_000 }).map((n) => ({ count: { min: n, max: n }, scaling: null })),
  fc
    .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 100 }), scaling)
    .map(([min, more, how]) => ({ count: { min, max: min + more }, scaling: how })),
);

const worker: fc.Arbitrary<Omit<GroupSpec, "name" | "env">> = fc
  .record({
    nodes: fc.constantFrom(1, 2),
    role: fc.constantFrom(null, "prefill" as const, "decode" as const, "worker" as const),
    router: fc.constant(null),
    resources,
    commands: fc.array(command, { minLength: 1, maxLength: 3 }),
    port,
    probes: orNull(probes),
    volumes,
    fleets: orNull(fc.array(ref, { minLength: 1, maxLength: 2 })),
    spotPolicy: fc.constantFrom("spot", "on-demand", "auto"),
    reservation: orNull(fc.constantFrom("cr-1", "on", "1.10")),
    counted: count,
    image,
  })
  .map(({ counted, image: where, ...group }) => ({ ...group, ...counted, ...where }))
  .map(withVendor);

/** Without an image the base image is meant, which is NVIDIA's. */
function withVendor<T extends Pick<GroupSpec, "resources" | "image" | "docker">>(group: T): T {
  const { gpu } = group.resources;
  const isOpen = gpu.vendor === null && gpu.names.length === 0 && gpu.count.min > 0;
  if (!isOpen || group.image !== null || group.docker) return group;
  return { ...group, resources: { ...group.resources, gpu: { ...gpu, vendor: "nvidia" } } };
}

/** A group that routes; its number is fixed. */
const routing = fc
  .tuple(worker, fc.constantFrom("smg", "dynamo"), fc.constantFrom(null, "router" as const))
  .map(([group, type, role]) => ({
    ...group,
    router: { type, generated: null } as GroupSpec["router"],
    role,
    count: { min: 1, max: 1 },
    scaling: null,
  }));

/** What a group may have of its own, or of the service. */
type Part = Omit<GroupSpec, "name" | "env">;

/** Groups that are alike in some fields, as groups of a service are. */
const groups: fc.Arbitrary<GroupSpec[]> = fc
  .record({
    workers: fc.array(worker, { minLength: 1, maxLength: 3 }),
    router: fc.option(routing, { nil: null }),
    alike: fc.subarray([
      "port",
      "resources",
      "volumes",
      "probes",
      "nodes",
      "fleets",
      "spotPolicy",
      "reservation",
      "image",
    ]),
    env,
    own: fc.array(env, { minLength: 4, maxLength: 4 }),
    isEnvShared: fc.boolean(),
    named: fc.boolean(),
  })
  .map(({ workers, router, alike, env: shared, own, isEnvShared, named }) => {
    const all: Part[] = router === null ? workers : [router, ...workers];
    return all.map((group, index) => ({
      ...withVendor({ ...group, ...pick(all[0]!, alike) }),
      name: named && index > 0 ? `group-${index}` : String(index),
      env: isEnvShared ? shared : own[index]!,
    }));
  });

function pick(group: Part, keys: readonly string[]): Partial<Part> {
  const { image: _image, python, nvcc, docker, privileged } = group;
  const where = { image: _image, python, nvcc, docker, privileged };
  return {
    ...Object.fromEntries(Object.entries(group).filter(([key]) => key !== "image" && keys.includes(key))),
    ...(keys.includes("image") ? where : {}),
  };
}

const policy = fc.constantFrom<(RouterPolicy | null)[]>(null, "cache_aware", "power_of_two", "random", "round_robin");

/** Every service that a file can describe, as far as one test can think of them. */
export const service: fc.Arbitrary<ServiceSpec> = fc.record({
  type: fc.constant("service" as const),
  name,
  groups,
  model: orNull(
    fc.record({ name: fc.constantFrom("Qwen/Qwen3-8B", "on", "1", "a:b"), prefix: fc.constantFrom("/v1", "", "/a/b") }),
  ),
  auth: fc.boolean(),
  entrypoint: orNull(anyText.filter((text) => text.trim() !== "")),
  shell: fc.constantFrom(null, "sh", "bash", "/bin/z sh"),
  user: fc.constantFrom(null, "root", "1000", "1000:1000", "no:on"),
  workingDir: fc.constantFrom(null, "/", "/app", "/a: b"),
  registryAuth: orNull(
    fc.record({
      username: fc.constantFrom("robot", "${{ secrets.USER }}", "on", "$$"),
      password: fc.constantFrom("${{ secrets.TOKEN }}", "1.10", "# no"),
    }),
  ),
  files: fc.array(
    fc.record({ localPath: fc.constantFrom("./a.json", "on", "a: b"), path: fc.constantFrom("/app/a.json", "a", "1") }),
    { maxLength: 2 },
  ),
  priority: fc.integer({ min: 0, max: 100 }),
  gateway: fc.oneof(fc.constantFrom(null, true, false), ref),
  https: fc.constantFrom(null, true, "auto" as const),
  stripPrefix: fc.boolean(),
  rateLimits,
  stopDuration: orNull(fc.oneof(fc.constant(300), seconds)),
  drainTimeout: orNull(seconds),
  rollout,
  profile,
});

/** A service whose router was declared outside of a group. */
export const serviceWithOuterRouter: fc.Arbitrary<ServiceSpec> = fc
  .tuple(service, policy, fc.boolean(), fc.subarray(["A", "B"]))
  .map(([spec, how, pdDisaggregation]) => {
    const workers = spec.groups.filter(({ router }) => router === null);
    const [first] = workers;
    const { env: shared, port: common, fleets, spotPolicy } = first!;
    const made: GroupSpec = {
      ...plainImage,
      name: "router",
      count: { min: 1, max: 1 },
      nodes: 1,
      scaling: null,
      role: null,
      router: { type: "smg", generated: { policy: how, pdDisaggregation } },
      resources: routerResources,
      commands: [],
      port: common,
      env: shared,
      probes: null,
      volumes: [],
      fleets,
      spotPolicy,
      reservation: null,
    };
    const named = workers.map((group, index) => ({
      ...group,
      name: String(index),
      env: { ...shared, ...withoutPassed(group.env, shared) },
      fleets: group.fleets ?? fleets,
      spotPolicy,
    }));
    return { ...spec, groups: [...named, made] };
  });

/** A variable that the service passes on or says in the mapping's form fits beside a group's own only in its form. */
function withoutPassed(own: GroupSpec["env"], shared: GroupSpec["env"]): GroupSpec["env"] {
  return own === shared ? {} : own;
}

const routerResources: GroupSpec["resources"] = {
  cpu: { arch: null, count: { min: 2, max: null } },
  memory: { min: 4, max: null },
  shmSize: null,
  gpu: {
    vendor: null,
    names: [],
    count: { min: 0, max: null },
    memory: null,
    totalMemory: null,
    computeCapability: null,
  },
  disk: { min: 10, max: null },
};
