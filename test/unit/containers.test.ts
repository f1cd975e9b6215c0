import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobEnvironment } from "../../agents/host/environment.ts";
import { containerBody } from "../../agents/host/runtime/docker/container-spec.ts";
import { parseConfig, type ServiceSpec } from "../../src/spec/index.ts";
import { World } from "../support/core-world.ts";
import { containerHostOf, inventoryOf } from "../support/fake-hosts.ts";
import { efaHost } from "../support/fake-sysfs/efa.ts";
import type { FakeTree } from "../support/fake-sysfs/fake-tree.ts";
import { h100Host } from "../support/fake-sysfs/h100.ts";
import { mi300xHost } from "../support/fake-sysfs/mi300x.ts";

const HERE = import.meta.dirname;
const CONFIGS = join(HERE, "../fixtures/configs");
const GOLDENS = join(HERE, "../fixtures/containers");

const HOSTS = {
  mi300x: { tree: mi300xHost(), interface: "eno1" },
  h100: { tree: h100Host(), interface: "eno12399np0" },
  "p5-efa": { tree: efaHost(), interface: "enp71s0" },
} satisfies Record<string, { tree: FakeTree; interface: string }>;

/** A file of `test/fixtures/configs`, for accelerators that the host has. */
function config(name: string, gpu: [from: string, to: string] | null = null): string {
  const text = readFileSync(join(CONFIGS, `${name}.yml`), "utf8");
  return gpu === null ? text : text.replaceAll(`gpu: ${gpu[0]}`, `gpu: ${gpu[1]}`);
}

const VLLM = `
type: service
name: vllm
image: vllm/vllm-openai:v0.9.2
entrypoint: python3 -m vllm.entrypoints.openai.api_server
commands: [--model, Qwen/Qwen3-8B, --port, "8000"]
user: "1000:1000"
working_dir: /workspace
port: 8000
model: Qwen/Qwen3-8B
env: {NCCL_SOCKET_IFNAME: mine}
volumes:
  - /mnt/models:/models
  - {instance_path: /mnt/absent, path: /absent, optional: true}
resources: {gpu: "H100:1", shm_size: 16GB}
`;

/** An image that needs no shell, and a job without accelerators on a host that has some. */
const PLAIN = `
type: service
name: plain
image: registry.example.com/gateway@sha256:${"0".repeat(64)}
port: 8080
resources: {disk: 1GB, memory: 1GB}
`;

const CASES: [host: keyof typeof HOSTS, name: string, text: string][] = [
  ["mi300x", "sglang-service-amd", config("sglang-service-amd")],
  ["mi300x", "pd-smg-amd", config("pd-smg-amd").replaceAll("gpu: MI300X:8", "gpu: MI300X:4")],
  ["mi300x", "pd-smg-amd-whole-host", config("pd-smg-amd")],
  ["h100", "sglang-service", config("sglang-service", ["8GB..24GB:1", "H100:8"])],
  ["h100", "pd-smg", config("pd-smg", ["H200", "H100:4"])],
  ["h100", "pd-service-router", config("pd-service-router", ["H200", "H100:2"])],
  ["h100", "vllm", VLLM],
  ["h100", "plain", PLAIN],
  ["p5-efa", "pd-smg", config("pd-smg", ["H200", "H100:4"])],
  ["p5-efa", "sglang-service", config("sglang-service", ["8GB..24GB:1", "H100:8"])],
];

/** `WRITE_GOLDENS=1` writes what is meant to be new; read it. */
test.each(CASES)("on %s, the containers of %s", async (host, name, text) => {
  const { tree, interface: card } = HOSTS[host];
  const found = await inventoryOf(tree, card);
  const desired = desiredOf(text, found);
  const sources = new Map([["/mnt/models", "/data/models"]]);
  const bodies = Object.fromEntries(
    desired.map((job) => {
      const { variables, derived } = jobEnvironment(job, found, { PATH: "/agents/own", SECRET: "s" });
      expect(job.launch.runtime).toBe("docker");
      const body = containerBody({ ...job, env: variables }, containerHostOf(tree, found, { sources }));
      const reasons = derived.map((one) => `${one.name}: ${one.reason}`);
      return [job.replica, { accelerators: job.accelerators.join(","), body, reasons }];
    }),
  );
  const file = join(GOLDENS, `${host}.${name}.json`);
  const now = `${JSON.stringify(bodies, null, 2)}\n`;
  if (process.env.WRITE_GOLDENS === "1") writeFileSync(file, now);
  expect(now).toBe(readFileSync(file, "utf8"));
});

function desiredOf(text: string, found: Awaited<ReturnType<typeof inventoryOf>>) {
  const parsed = parseConfig(text, "service.yml", {});
  if (!parsed.ok || parsed.type !== "service") throw new Error(JSON.stringify(parsed));
  const world = new World();
  const { fleet } = world.state.tables;
  for (const one of fleet.byId.values()) {
    const hostPaths = ["/mnt", "/usr/lib64/libibverbs"];
    one.settings = { ...one.settings, allow: { ...one.settings.allow, privileged: true, hostPaths } };
  }
  // One for each group at least: the files name the same port in all of them.
  for (const number of [1, 2, 3]) world.addHost(`gpu-${number}`, { ...found, address: `10.0.0.${number}` });
  const { spec } = parsed;
  const router = spec.groups.find((group) => group.router?.generated);
  expect(world.apply(spec, passed(spec), null, {}, router ? { [router.name]: "python:3.12" } : {})).toMatchObject({
    action: "create",
  });
  world.settle();
  const desired = world.desired(spec.name);
  expect(desired).toHaveLength(spec.groups.length);
  return desired.sort((a, b) => (a.replica < b.replica ? -1 : 1));
}

/** A version for each variable that is passed through. */
function passed({ groups }: ServiceSpec): Record<string, string> {
  const names = groups.flatMap(({ env }) => Object.keys(env).filter((name) => env[name] === null));
  return Object.fromEntries(names.map((name) => [name, "v1"]));
}
