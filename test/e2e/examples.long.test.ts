import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { LocalCluster } from "../support/local-cluster.ts";
import { until } from "../support/processes.ts";

/**
 * Runs examples as they stand in the repository, not a word of them changed. What stands in for what:
 *
 * - the programs of the engines: `stand-in-engine.js`, found on the `PATH` under each of their names; for SGLang the
 *   simulated engine. Routers, Python's own web server and the server of `files` are real;
 * - the image: nothing, since the host has no engine for containers, and so commands run as processes;
 * - the host: this machine, which says that it has more CPUs, memory, disk and accelerators than it has.
 */
const PROGRAMS = [
  "llama-server",
  "lmcache_server",
  "ollama",
  "text-embeddings-router",
  "text-generation-launcher",
  "trtllm-serve",
  "vllm",
];
const HOST = "cpu=256,memory=4TB,disk=50TB,gpu=H200:64,gpu=MI300X:8";
const STAND_IN = join(ROOT, "test/support/stand-in-engine.js");
/** Simulated engines load in a second or two; a machine that is busy takes many times that. */
const READY_WITHIN = "2m";

interface Run {
  /** What is asked to chat; without one a request is `body`, or has none. */
  model?: string;
  /** Below the service's own endpoint; where chats are asked for if left out. */
  path?: string;
  body?: object;
  /** What the answer holds: for a stand-in how it was started, else anything that only this service would say. */
  says: (string | RegExp)[];
  flags?: string[];
  env?: NodeJS.ProcessEnv;
}

/** A stand-in's words for the flags and the port that it was given. */
const listening = /"--(?:host|hostname)","127\.0\.0\.1","--port","\d+"/;

const RUNS: Record<string, Run> = {
  addresses: {
    model: "Qwen/Qwen3-14B",
    path: "/v1/chat/completions",
    says: ['"program":"vllm"', '"LMCACHE_REMOTE_URL":"lm://127.0.0.1:65432"'],
  },
  amd: { model: "Qwen/Qwen3-235B-A22B-Instruct-2507", says: ['"choices"'] },
  arguments: {
    model: "any",
    flags: ["-e", "MODEL_ID=Qwen/Qwen3-8B", "--", "--max-model-len", "8192"],
    says: ['"serve","Qwen/Qwen3-8B"', '"--max-model-len","8192"'],
  },
  autoscaling: { model: "Qwen/Qwen3-8B", says: [listening] },
  embeddings: {
    path: "/v1/embeddings",
    body: { model: "BAAI/bge-base-en-v1.5", input: "a" },
    says: ['"embedding":[0.5]', '"program":"text-embeddings-router"'],
  },
  files: { path: "/", says: [/^Hello from a file that travelled\.\n$/] },
  "model-prefix": {
    model: "qwen3-4b",
    path: "/llama/v1/chat/completions",
    says: ['"program":"llama-server"', '"--api-prefix","/llama"'],
  },
  ollama: { model: "qwen3:8b", says: ['"program":"ollama"', '"args":["serve"]'] },
  "pd-sglang": { model: "zai-org/GLM-4.5-Air-FP8", env: { HF_TOKEN: "hf_mine" }, says: ['"choices"'] },
  "private-registry": { path: "/", env: { REGISTRY_USER: "robot" }, says: ["Directory listing for /"] },
  profiles: { model: "Qwen/Qwen3-8B", says: [listening] },
  "rate-limits": { model: "Qwen/Qwen3-8B", says: [listening] },
  rollout: { model: "Qwen/Qwen3-8B", says: [listening] },
  router: { model: "Qwen/Qwen3-8B", says: ['"choices"'] },
  "router-on-service": { model: "Qwen/Qwen3-30B-A3B", says: ['"choices"'] },
  secrets: {
    model: "meta-llama/Llama-3.1-8B-Instruct",
    says: ['"HF_TOKEN":"value-1"', '"LMCACHE_REMOTE_URL":"redis://:value-2@cache.internal:6379"'],
  },
  "several-gpus": { model: "zai-org/GLM-4.6-FP8", says: ['"--tensor-parallel-size","8"'] },
  sglang: { model: "Qwen/Qwen3-32B", env: { HF_TOKEN: "hf_mine" }, says: ['"choices"'] },
  spot: { model: "Qwen/Qwen3-8B", says: [listening] },
  tgi: {
    model: "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    env: { HF_TOKEN: "hf_mine" },
    says: ['"program":"text-generation-launcher"', '"--num-shard","1"', '"HF_TOKEN":"hf_mine"'],
  },
  trtllm: { model: "Qwen/Qwen3-14B", says: ['"program":"trtllm-serve"', '"--tp_size","2"'] },
  vllm: { model: "Qwen/Qwen3-8B", env: { HF_TOKEN: "hf_mine" }, says: [listening, '"HF_TOKEN":"hf_mine"'] },
  volumes: { model: "Qwen/Qwen3-8B", says: ['"choices"'] },
};

let programs: string;
let cluster: LocalCluster;

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), "headrace-programs-"));
  for (const name of PROGRAMS) {
    const file = join(programs, name);
    await writeFile(file, `#!/bin/sh\nexec ${process.execPath} ${STAND_IN} ${name} "$@"\n`);
    await chmod(file, 0o755);
  }
  cluster = await LocalCluster.start({ declare: HOST, programs });
  const secrets = { NGC_API_KEY: "n", REGISTRY_TOKEN: "r", HF_TOKEN: "value-1", CACHE_PASSWORD: "value-2" };
  for (const [name, value] of Object.entries(secrets)) await cluster.client().setSecret(name, value);
});
afterAll(async () => {
  await cluster.dispose();
  await rm(programs, { recursive: true });
});

describe("each example runs as it stands", () => {
  test.each(Object.entries(RUNS))("%s", async (name, run) => {
    const { flags = [], env = {} } = run;
    const folder = name === "files" || name === "profiles";
    const file = join(ROOT, "examples", folder ? `${name}/service.yml` : `${name}.yml`);
    const applied = await cluster.headrace(["apply", "-f", file, "-y", "--timeout", READY_WITHIN, ...flags], env);
    expect(applied.code, `${applied.output}\n${cluster.agent?.output()}`).toBe(0);

    await expectAnswer(cluster.serviceUrl(name) + (run.path ?? "/v1/chat/completions"), run);
    if (hasItsModelAlone(run)) {
      const models = `${cluster.url}/proxy/models/main/v1`;
      // Who serves which model is kept for two seconds.
      await until(
        async () => (await ask(`${models}/models`)).text.includes(`"${run.model}"`),
        () => `${run.model} is not listed`,
      );
      await expectAnswer(`${models}/chat/completions`, run);
    }
    expect((await cluster.headrace(["stop", name, "-y", "-d"])).code).toBe(0);
  });
});

/** Of a model that several of the examples serve it would not be said whose answer it is. */
function hasItsModelAlone({ model }: Run): boolean {
  return model !== undefined && Object.values(RUNS).filter((run) => run.model === model).length === 1;
}

async function expectAnswer(url: string, { model, body, says }: Run): Promise<void> {
  const chat = { model, messages: [{ role: "user", content: "Hello!" }], max_tokens: 4 };
  const { status, text } = await ask(url, model === undefined ? body : chat);
  expect(status, `${url}: ${text}`).toBe(200);
  for (const part of says) expect(text).toMatch(part);
}

async function ask(url: string, body?: object): Promise<{ status: number; text: string }> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  // A stand-in says how it was started in the words of its answer, where JSON has escaped the quotes.
  return { status: response.status, text: (await response.text()).replaceAll('\\"', '"') };
}
