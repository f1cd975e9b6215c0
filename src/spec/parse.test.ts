import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig } from "./index.ts";
import type { GroupSpec, ServiceSpec } from "./types.ts";

const folder = new URL("../../test/fixtures/configs/", import.meta.url);

function specOf(text: string): ServiceSpec {
  const config = parseConfig(text, "test.yml");
  if (!config.ok) throw new Error(config.issues.map(({ line, message }) => `line ${line}: ${message}`).join("\n"));
  if (config.type !== "service") throw new Error(config.type);
  return config.spec;
}

function fixture(name: string): ServiceSpec {
  return specOf(readFileSync(new URL(name, folder), "utf8"));
}

function groupOf(text: string): GroupSpec {
  return specOf(text).groups[0]!;
}

const anyGpu = {
  vendor: null,
  names: [],
  count: { min: 0, max: null },
  memory: null,
  totalMemory: null,
  computeCapability: null,
};
const plainResources = {
  cpu: { arch: null, count: { min: 2, max: null } },
  memory: { min: 8, max: null },
  shmSize: null,
  gpu: anyGpu,
  disk: { min: 100, max: null },
};
const scaling = { metric: "rps", window: 60, scaleUpDelay: 300, scaleDownDelay: 600 };

describe("the configurations that users have", () => {
  test.each(readdirSync(folder))("%s is valid", (name) => {
    expect(parseConfig(readFileSync(new URL(name, folder), "utf8"), name)).toMatchObject({ ok: true, issues: [] });
  });

  test("pd-smg.yml", () => {
    const spec = fixture("pd-smg.yml");
    const common = {
      image: "lmsysorg/sglang:v0.5.10.post1",
      python: null,
      nvcc: false,
      docker: false,
      privileged: false,
      role: null,
      nodes: 1,
      port: 8000,
      env: { HF_TOKEN: null, MODEL_ID: "zai-org/GLM-4.5-Air-FP8" },
      probes: [
        {
          type: "http",
          url: "/health",
          method: "get",
          headers: [],
          body: null,
          timeout: 10,
          interval: 15,
          readyAfter: 1,
          untilReady: false,
        },
      ],
      volumes: [],
      fleets: null,
      spotPolicy: "on-demand",
      reservation: null,
    };
    const h200 = { ...anyGpu, vendor: "nvidia", names: ["H200"], count: { min: 1, max: null } };
    expect({ ...spec, groups: spec.groups.map(({ commands, ...group }) => group) }).toEqual({
      type: "service",
      name: "prefill-decode",
      groups: [
        {
          ...common,
          name: "0",
          count: { min: 1, max: 1 },
          scaling: null,
          router: { type: "smg", generated: null },
          resources: { ...plainResources, cpu: { arch: null, count: { min: 4, max: 4 } } },
        },
        {
          ...common,
          name: "1",
          count: { min: 1, max: 4 },
          scaling: { ...scaling, target: 3 },
          router: null,
          resources: { ...plainResources, gpu: h200 },
        },
        {
          ...common,
          name: "2",
          count: { min: 1, max: 8 },
          scaling: { ...scaling, target: 2 },
          router: null,
          resources: { ...plainResources, gpu: h200 },
        },
      ],
      model: { name: "zai-org/GLM-4.5-Air-FP8", prefix: "/v1" },
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
    });
    expect(spec.groups[0]?.commands).toEqual([
      "pip install smg",
      "smg launch \\\n  --host 0.0.0.0 \\\n  --port 8000 \\\n  --pd-disaggregation \\\n  --prefill-policy cache_aware\n",
    ]);
    expect(spec.groups[1]?.commands[0]).toContain("--disaggregation-mode prefill");
    expect(spec.groups[2]?.commands[0]).toContain("--disaggregation-mode decode");
  });

  test("pd-smg-amd.yml", () => {
    const spec = fixture("pd-smg-amd.yml");
    const mi300x = { ...anyGpu, vendor: "amd", names: ["MI300X"], count: { min: 8, max: 8 } };
    expect(spec.groups[1]?.port).toBe(30_000);
    expect(spec.groups[1]?.env).toMatchObject({ HF_TOKEN: null, SGLANG_USE_AITER: "0", NCCL_IB_DISABLE: "1" });
    expect(spec.groups.map(({ privileged, router, count }) => ({ privileged, router, count }))).toEqual([
      { privileged: true, router: { type: "smg", generated: null }, count: { min: 1, max: 1 } },
      { privileged: true, router: null, count: { min: 1, max: 2 } },
      { privileged: true, router: null, count: { min: 1, max: 4 } },
    ]);
    for (const { resources } of spec.groups.slice(1)) {
      expect(resources).toMatchObject({
        gpu: mi300x,
        cpu: { count: { min: 96, max: null } },
        memory: { min: 512, max: null },
      });
    }
    const library = "libibverbs/libbnxt_re-rdmav34.so";
    expect(spec.groups[1]?.volumes).toEqual([
      {
        kind: "instance",
        instancePath: `/usr/lib64/${library}`,
        path: `/usr/lib/x86_64-linux-gnu/${library}`,
        optional: false,
      },
    ]);
  });

  test("sglang-service.yml and sglang-service-amd.yml are one group each", () => {
    const gpu = { ...anyGpu, memory: { min: 8, max: 24 }, count: { min: 1, max: 1 } };
    const [group, ...none] = fixture("sglang-service.yml").groups;
    expect(none).toEqual([]);
    expect(group).toMatchObject({
      name: "0",
      count: { min: 1, max: 1 },
      scaling: null,
      router: null,
      resources: { gpu },
    });
    expect(group?.commands).toHaveLength(1);
    expect(fixture("sglang-service-amd.yml")).toMatchObject({
      model: { name: "qwen/qwen2.5-0.5b-instruct", prefix: "/v1" },
      groups: [{ probes: null, resources: { gpu: { vendor: "amd", names: ["MI300X"] } } }],
    });
  });

  test("pd-dynamo.yml", () => {
    const spec = fixture("pd-dynamo.yml");
    expect(
      spec.groups.map(({ docker, privileged, python, nvcc, image }) => ({ docker, privileged, python, nvcc, image })),
    ).toEqual([
      { docker: true, privileged: true, python: null, nvcc: false, image: null },
      { docker: false, privileged: false, python: "3.12", nvcc: true, image: null },
      { docker: false, privileged: false, python: "3.12", nvcc: true, image: null },
    ]);
    expect(spec.groups[0]?.router).toEqual({ type: "dynamo", generated: null });
  });
});

describe("spellings that mean the same", () => {
  const head = "type: service\nname: demo\nport: 8000\nimage: x\n";

  test("groups with replicas, replicas with count", () => {
    const older = specOf(`${head}replicas:\n  - count: 2\n    name: a\n  - count: 1\n`);
    const newer = specOf(`${head}groups:\n  - replicas: 2\n    name: a\n  - replicas: 1\n`);
    expect(newer).toEqual(older);
    expect(newer.groups.map(({ name }) => name)).toEqual(["a", "1"]);
  });

  test("where a group has both, `replicas` wins", () => {
    expect(groupOf(`${head}groups:\n  - count: 1\n    replicas: 3\n`).count).toEqual({ min: 3, max: 3 });
  });

  test("env as a map and as a list", () => {
    expect(groupOf(`${head}env: {A: 8080, B: "on", C: ""}`).env).toEqual({ A: "8080", B: "on", C: "" });
    expect(groupOf(`${head}env: [A=8080, B=on, C=, D]`).env).toEqual({ A: "8080", B: "on", C: "", D: null });
  });

  test("a model as a name and as a mapping", () => {
    const name = specOf(`${head}model: a/b`);
    expect(specOf(`${head}model: {type: chat, name: a/b, format: openai}`)).toEqual(name);
    expect(specOf(`${head}model: {name: a/b, format: openai, prefix: /api/}`).model).toEqual({
      name: "a/b",
      prefix: "/api",
    });
  });

  test("resources as scalars and as mappings", () => {
    const scalars = groupOf(`${head}resources: {cpu: "arm:4..8", memory: 16GB.., gpu: "H100:80GB:2", disk: 200GB..}`);
    const mappings = groupOf(
      `${head}resources:
  cpu: {arch: arm64, count: 4..8}
  memory: {min: 16GB}
  gpu: {name: H100, memory: 80GB, count: 2}
  disk: {size: 200GB..}
`,
    );
    expect(mappings).toEqual(scalars);
    expect(groupOf(`${head}resources: {cpu: {min: 4, max: 8}}`).resources.cpu).toEqual({
      arch: null,
      count: { min: 4, max: 8 },
    });
    expect(groupOf(`${head}resources: {disk: {min: 1TB}}`).resources.disk).toEqual({ min: 1024, max: null });
    expect(
      groupOf(`${head}resources: {gpu: {name: [A100, H100], total_memory: 160GB.., compute_capability: 9.0}}`).resources
        .gpu,
    ).toEqual({
      ...anyGpu,
      vendor: "nvidia",
      names: ["A100", "H100"],
      count: { min: 1, max: null },
      totalMemory: { min: 160, max: null },
      computeCapability: [9, 0],
    });
  });

  test.each(["8000", '"8000"', "8000.0", '"8080:8000"', "8080:8000", "{container_port: 8000}", "0x1f40"])(
    "port: %s",
    (port) => {
      expect(groupOf(`type: service\nname: demo\nimage: x\nport: ${port}\n`).port).toBe(8000);
    },
  );

  test.each([
    ["auth: no", false],
    ["auth: off", false],
    ['auth: "off"', false],
    ["auth: false", false],
    ["auth: Yes", true],
    ["auth:", true],
    ["auth: ~", true],
  ])("%s", (line, auth) => {
    expect(specOf(`${head}${line}\n`).auth).toBe(auth);
  });

  test.each([
    ["off", null],
    ["no", null],
    ['"off"', null],
    ["false", null],
    ["true", 300],
    ["on", 300],
    ["~", 300],
    ["90", 90],
    ["2h", 7200],
  ])("stop_duration: %s", (written, seconds) => {
    expect(specOf(`${head}stop_duration: ${written}\n`).stopDuration).toBe(seconds);
  });

  test("anchors, aliases and merge keys", () => {
    const spec = specOf(
      `${head}groups:
  - &worker
    name: prefill
    replicas: 1
    resources: {gpu: &gpu H100}
  - <<: *worker
    name: decode
    replicas: 2
  - <<: [{replicas: 3}, *worker]
    name: spare
    resources: {gpu: *gpu}
`,
    );
    expect(spec.groups.map(({ name, count }) => [name, count.min])).toEqual([
      ["prefill", 1],
      ["decode", 2],
      ["spare", 3],
    ]);
    expect(spec.groups[1]?.resources).toEqual(spec.groups[0]?.resources);
    expect(spec.groups[2]?.resources).toEqual(spec.groups[0]?.resources);
  });
});

describe("what follows from what is written", () => {
  test("resources of the service are those of groups that have none of their own, whole", () => {
    const spec = specOf(
      "type: service\nname: demo\nport: 1\nimage: x\nresources: {gpu: H100, cpu: 8}\ngroups:\n  - replicas: 1\n  - replicas: 1\n    resources: {cpu: 4}\n",
    );
    expect(spec.groups[0]?.resources).toMatchObject({ gpu: { names: ["H100"] }, cpu: { count: { min: 8 } } });
    expect(spec.groups[1]?.resources).toMatchObject({ gpu: anyGpu, cpu: { count: { min: 4 } } });
  });

  test("image settings of the service reach every group", () => {
    const spec = specOf(
      "type: service\nname: demo\nport: 1\npython: 3.10\nnvcc: yes\nprivileged: true\ngroups:\n  - {replicas: 1, commands: [a]}\n  - {replicas: 1, commands: [b]}\n",
    );
    for (const group of spec.groups)
      expect(group).toMatchObject({ python: "3.10", nvcc: true, docker: false, privileged: true });
  });

  test("without an image an accelerator that is not named is NVIDIA's", () => {
    const head = "type: service\nname: demo\nport: 1\n";
    expect(groupOf(`${head}commands: [a]\nresources: {gpu: 24GB}\n`).resources.gpu.vendor).toBe("nvidia");
    expect(groupOf(`${head}image: x\nresources: {gpu: 24GB}\n`).resources.gpu.vendor).toBeNull();
    expect(groupOf(`${head}commands: [a]\n`).resources.gpu.vendor).toBeNull();
  });

  test("no probes is something else than nothing said about probes", () => {
    const head = "type: service\nname: demo\nport: 1\nimage: x\n";
    expect(groupOf(head).probes).toBeNull();
    expect(groupOf(`${head}probes: []\n`).probes).toEqual([]);
  });

  test("a name of a variable is text, whatever objects inherit", () => {
    expect(groupOf("type: service\nname: demo\nport: 1\nimage: x\nenv: {constructor: a, toString: b}\n").env).toEqual({
      constructor: "a",
      toString: "b",
    });
  });

  test("a byte order mark does not shift columns", () => {
    const config = parseConfig("\uFEFFtype: serving\n", "test.yml");
    expect(config.issues).toMatchObject([{ line: 1, column: 7 }]);
  });

  test("what little text stands for is bounded: an env of 12 MB for each of 64 groups was accepted", () => {
    const head = "type: service\nname: demo\nport: 1\nimage: x\n";
    const groups = `groups: [${Array.from({ length: 64 }, () => "{replicas: 1}").join(", ")}]\n`;
    const [aliased, shared] = [
      `${head}env: {A: &a "${"x".repeat(90_000)}", B: *a, C: *a}\n`,
      `${head}${groups}env: {A: "${"x".repeat(20_000)}"}\n`,
    ].map((text) => parseConfig(text, "test.yml").issues);
    expect(aliased).toMatchObject([{ line: 5, message: expect.stringContaining("more than 262144 characters once") }]);
    expect(shared).toMatchObject([
      { line: 1, message: expect.stringContaining("come to more than 1048576 characters") },
    ]);
    expect(parseConfig(`${head}${groups}env: {A: "${"x".repeat(5_000)}"}\n`, "test.yml").ok).toBe(true);
  });
});
