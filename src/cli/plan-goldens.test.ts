import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gpus, PlanStage } from "./testing/plan-stage.ts";

/**
 * What people see of a plan, whole, as `test/fixtures/plans` keeps it. After a change that is meant:
 * `WRITE_GOLDENS=1 npx vitest run --project unit src/cli/plan-goldens.test.ts`, and read each as somebody would who was
 * woken up for it.
 */
const FOLDER = new URL("../../test/fixtures/plans/", import.meta.url);

const SERVE = `python -m sglang.launch_server --model-path $MODEL_ID --host 0.0.0.0 --port 8000
          --disaggregation-transfer-backend nixl`;

/** Prefill and decode behind a router. */
const GLM = `type: service
name: glm
port: 8000
model: zai-org/GLM-4.5-Air-FP8
env:
  - HF_TOKEN
  - MODEL_ID=zai-org/GLM-4.5-Air-FP8
groups:
  - name: router
    replicas: 1
    router: {type: smg}
    commands:
      - pip install smg
      - smg launch --host 0.0.0.0 --port 8000 --pd-disaggregation
        --control-plane-api-keys headrace:headrace:admin:$HEADRACE_ROUTER_KEY
    resources: {cpu: 4}
  - name: prefill
    replicas: 1
    commands:
      - >
        ${SERVE}
        --disaggregation-mode prefill --disaggregation-bootstrap-port 8998
    resources: {gpu: "H200:4"}
  - name: decode
    replicas: 2
    commands:
      - >
        ${SERVE}
        --disaggregation-mode decode --mem-fraction-static 0.85
    resources: {gpu: "H200:8"}
`;

/** A plain service, without a router. */
const CHAT = `type: service
name: chat
port: 8000
model: qwen
commands:
  - vllm serve Qwen/Qwen3-8B --port 8000
resources: {gpu: "H200:1"}
`;

async function stage(): Promise<PlanStage> {
  const plans = await PlanStage.create();
  for (const name of ["gpu-1", "gpu-2", "gpu-3", "gpu-4"]) await plans.addHost(name, gpus(8, "H200", 141));
  await plans.addHost("cpu-1");
  plans.cli.env.HF_TOKEN = "hf_one";
  return plans;
}

/** @param edit what is planned, after the file was applied as it stands */
async function changed(text: string, edit: (text: string) => string): Promise<string> {
  await using plans = await stage();
  await plans.write("service.yml", text);
  await plans.apply("service.yml");
  const next = edit(text);
  expect(next).not.toBe(text);
  await plans.write("service.yml", next);
  return await plans.shown("plan", "-f", "service.yml");
}

async function created(text: string): Promise<string> {
  await using plans = await stage();
  await plans.write("service.yml", text);
  return await plans.shown("plan", "-f", "service.yml");
}

const PLANS: Record<string, () => Promise<string>> = {
  create: () => created(GLM),

  "count-up": () => changed(GLM, (text) => text.replace("replicas: 2", "replicas: 3")),

  "count-down": () => changed(GLM, (text) => text.replace("replicas: 2", "replicas: 1")),

  "count-and-scaling": () =>
    changed(GLM, (text) => text.replace("replicas: 2", "replicas: 1..4\n    scaling: {metric: rps, target: 3}")),

  "image-of-one-group": () =>
    changed(
      CHAT.replace(
        "commands:",
        "groups:\n  - name: small\n    image: vllm/vllm-openai:v0.9\n    replicas: 1\n    commands:",
      )
        .replace("  - vllm serve Qwen/Qwen3-8B --port 8000", "      - vllm serve Qwen/Qwen3-8B --port 8000")
        .replace("resources:", "    resources:")
        .concat(
          "  - name: large\n    image: vllm/vllm-openai:v0.9\n    replicas: 1\n    commands: [vllm serve Qwen/Qwen3-32B]\n",
        ),
      (text) => text.replace("v0.9", "v0.10"),
    ),

  "launch-lines": () =>
    changed(GLM, (text) =>
      text.replace("--mem-fraction-static 0.85", "--mem-fraction-static 0.9 --max-running-requests 256"),
    ),

  env: async () => {
    await using plans = await stage();
    await plans.write("service.yml", GLM);
    await plans.apply("service.yml");
    plans.cli.env.HF_TOKEN = "hf_two";
    await plans.write("service.yml", GLM.replace("  - MODEL_ID", "  - NCCL_DEBUG=INFO\n  - MODEL_ID"));
    return await plans.shown("plan", "-f", "service.yml");
  },

  groups: () =>
    changed(GLM, (text) =>
      text
        .replace("  - name: prefill", "  - name: prefill-long")
        .replace("replicas: 2", "replicas: 1")
        .replace('gpu: "H200:4"', 'gpu: "H200:8"'),
    ),

  "router-type": () => changed(GLM, (text) => text.replace("type: smg", "type: dynamo")),

  "router-gone": () => changed(GLM, (text) => text.replace(/ {2}- name: router[\s\S]*?(?= {2}- name: prefill)/, "")),

  "fits-nowhere": async () => {
    await using plans = await PlanStage.create();
    plans.cli.env.HF_TOKEN = "hf_one";
    for (const index of [1, 2]) await plans.addHost(`gpu-${index}`, gpus(8, "H200", 141));
    for (const index of [1, 2, 3, 4, 5, 6]) await plans.addHost(`old-${index}`, gpus(8, "A100", 80));
    for (const index of [1, 2]) await plans.addHost(`cpu-${index}`);
    for (const index of [3, 4]) await plans.addHost(`gpu-${index}`, gpus(8, "H200", 141), false);
    await plans.write("glm.yml", GLM);
    return await plans.shown("plan", "-f", "glm.yml");
  },

  "no-hosts": async () => {
    await using plans = await PlanStage.create();
    await plans.write("chat.yml", CHAT);
    return await plans.shown("plan", "-f", "chat.yml");
  },

  "no-change": async () => {
    await using plans = await stage();
    await plans.write("glm.yml", GLM);
    await plans.apply("glm.yml");
    return await plans.shown("plan", "-f", "glm.yml", "--detailed-exitcode");
  },

  "in-place": () => changed(CHAT, (text) => `${text}auth: no\nstop_duration: 10m\nreplicas: 2\n`),

  "somebody-else": async () => {
    await using plans = await stage();
    await plans.write("glm.yml", GLM);
    await plans.apply("glm.yml");
    await plans.write("glm.yml", GLM.replace("replicas: 2", "replicas: 3"));
    const planned = await plans.shown("plan", "-f", "glm.yml", "--detailed-exitcode");
    await plans.be("ben");
    await plans.write("ben.yml", `${GLM}auth: no\n`);
    await plans.apply("ben.yml");
    await plans.be("ann");
    return `${planned}\n${await plans.shown("apply", "-f", "glm.yml", "-y", "--revision", "1")}`;
  },

  "stopped-and-started": async () => {
    await using plans = await stage();
    await plans.write("chat.yml", CHAT);
    await plans.apply("chat.yml");
    expect(await plans.run("stop", "chat", "-y", "-d")).toMatchObject({ code: 0 });
    await plans.finishDrains();
    await plans.write("chat.yml", CHAT.replace("Qwen3-8B", "Qwen3-32B").replace("H200:1", "H200:2"));
    return await plans.shown("plan", "-f", "chat.yml");
  },

  "router-at-the-top": async () => created(await readFile(new URL("../configs/pd-service-router.yml", FOLDER), "utf8")),

  "a-gateway": async () => created(await readFile(new URL("../configs/gateway.yml", FOLDER), "utf8")),

  "a-fleet": () =>
    created('type: fleet\nname: h200\nnodes: 0..4\nresources: {gpu: "H200:8"}\nmax_price: 50\nplacement: cluster\n'),

  "a-secret": async () => {
    await using plans = await stage();
    const file = `${CHAT}env:\n  API_KEY: \${{ secrets.api_key }}\n`;
    await plans.setSecret("api_key", "hf_one");
    await plans.write("service.yml", file);
    await plans.apply("service.yml");
    await plans.setSecret("api_key", "hf_two");
    return await plans.shown("plan", "-f", "service.yml");
  },

  files: async () => {
    await using plans = await stage();
    const file = `${CHAT}files: [app]\n`;
    await mkdir(join(plans.cli.home, "app"));
    await plans.write("app/server.py", "print(1)\n");
    await plans.write("service.yml", file);
    await plans.apply("service.yml");
    await plans.write("app/patch.py", "print(2)\n");
    return await plans.shown("plan", "-f", "service.yml");
  },

  "files-nowhere": async () => {
    await using plans = await stage();
    await mkdir(join(plans.cli.home, "app"));
    await plans.write("key", "not for others");
    await symlink("../key", join(plans.cli.home, "app/key"));
    await symlink("nothing", join(plans.cli.home, "app/lock"));
    await plans.write("service.yml", `${CHAT}files: ["app:/srv/app"]\nworking_dir: /srv\n`);
    return await plans.shown("plan", "-f", "service.yml");
  },

  notes: () =>
    created(
      `${CHAT}rate_limits:\n  - {prefix: /v1, rps: 10}\nspot_policy: auto\nimage: vllm/vllm-openai:v0.9\nmax_price: 20\n`,
    ),
};

test.each(Object.entries(PLANS))("%s", async (name, make) => {
  const text = await make();
  const file = new URL(`${name}.txt`, FOLDER);
  if (process.env.WRITE_GOLDENS) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(file, text);
  }
  expect(text, "WRITE_GOLDENS=1 writes what is meant to be new; read it").toBe(await readFile(file, "utf8"));
  expect(text).not.toMatch(/hf_one|hf_two/);
});
