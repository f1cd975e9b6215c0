import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { parseConfig } from "../spec/index.ts";
import type { Inventory } from "../wire/index.ts";
import { gpus, PlanStage } from "./testing/plan-stage.ts";

const FOLDER = join(ROOT, "examples");

/** What `plan` says of an example on hosts that have room for it. */
interface Said {
  /** New replicas by group; all of them have a host. */
  places?: Record<string, number>;
  /** Fields that are understood and act later. */
  notes?: string[];
  warnings?: RegExp[];
  /** Why an apply is refused. */
  refused?: RegExp;
  /** What is given on the command line. */
  flags?: string[];
}

/** Every file of the folder, by its name. */
const EXAMPLES: Record<string, Said> = {
  "addresses.yml": { places: { first: 1, others: 2 } },
  "amd.yml": { places: { 0: 1 } },
  "arguments.yml": {
    places: { 0: 1 },
    flags: ["-e", "MODEL_ID=Qwen/Qwen3-8B", "--", "--max-model-len", "8192"],
  },
  "autoscaling.yml": { places: { 0: 1 }, notes: ["scaling"] },
  "dynamo.yml": { refused: /^group frontend: router type dynamo is not supported yet; use smg$/ },
  "embeddings.yml": { places: { 0: 3 } },
  "files/service.yml": { places: { 0: 1 } },
  "fleet.yml": { refused: /^Hosts are not rented from clouds yet/ },
  "gateway.yml": { refused: /^Gateways do not exist yet/ },
  "model-prefix.yml": { places: { 0: 1 } },
  "multi-node.yml": {
    refused: /^group 0: `nodes: 2` is understood, but replicas that span several hosts cannot be run/,
  },
  "ollama.yml": { places: { 0: 1 } },
  "pd-sglang.yml": { places: { router: 1, prefill: 2, decode: 3 } },
  "prefill-decode.yml": { places: { router: 1, prefill: 1, decode: 2 } },
  "private-registry.yml": { places: { 0: 1 } },
  "profiles/service.yml": { places: { 0: 1 }, notes: ["tags"] },
  "rate-limits.yml": { places: { 0: 1 }, notes: ["rate_limits"] },
  "rollout.yml": { places: { 0: 4 }, notes: ["canary", "max_surge", "max_unavailable"] },
  "router-on-service.yml": { places: { 0: 1, 1: 2, router: 1 } },
  "router.yml": { places: { router: 2, worker: 4 } },
  "secrets.yml": { places: { 0: 1 } },
  "several-gpus.yml": { places: { 0: 1 } },
  "sglang.yml": { places: { 0: 2 } },
  "spot.yml": { places: { 0: 2 }, notes: ["backends", "max_price", "regions", "spot_policy"] },
  "tgi.yml": { places: { 0: 1 } },
  "trtllm.yml": { places: { 0: 1 } },
  "vllm.yml": { places: { 0: 1 } },
  "volumes.yml": { places: { 0: 1 } },
};

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yml") && !name.endsWith("profiles.yml"))
  .sort();

test("every example is among these, and in the folder's list", () => {
  expect(files).toEqual(Object.keys(EXAMPLES).sort());
  const list = readFileSync(join(FOLDER, "README.md"), "utf8");
  const linked = [...list.matchAll(/\]\(([^)#:]+\.yml)\)/g)].map(([, name]) => name);
  expect(linked.sort()).toEqual(files);
});

const docker: Partial<Inventory> = { runtimes: ["docker", "process"] };

let stage: PlanStage;
beforeAll(async () => {
  stage = await PlanStage.create({ privileged: true, hostPaths: ["/mnt"] });
  for (const name of ["gpu-1", "gpu-2", "gpu-3", "gpu-4"])
    await stage.addHost(name, { ...docker, ...gpus(8, "H200", 141) });
  await stage.addHost("mi-1", { ...docker, ...gpus(8, "MI300X", 192, "amd") });
  await stage.addHost("cpu-1", docker);
  Object.assign(stage.cli.env, { HF_TOKEN: "hf_one", REGISTRY_USER: "robot" });
  for (const name of ["HF_TOKEN", "CACHE_PASSWORD", "REGISTRY_TOKEN", "NGC_API_KEY"]) {
    await stage.setSecret(name, `value of ${name}`);
  }
});
afterAll(() => stage[Symbol.asyncDispose]());

describe("each example", () => {
  test.each(Object.entries(EXAMPLES))("%s is valid, and a plan says what is to be said", async (name, said) => {
    const file = join(FOLDER, name);
    const { places = {}, notes = [], warnings = [], refused, flags = [] } = said;
    expect(await stage.cli.run("validate", "-f", file)).toMatchObject({ code: 0, err: "" });

    const { out, err } = await stage.cli.run("plan", "-f", file, "--json", ...flags);
    if (refused) {
      expect(out === "" ? err.replace(/^error: /, "").trim() : JSON.parse(out).refusal).toMatch(refused);
      return;
    }
    expect(err).toBe("");
    const plan = JSON.parse(out);
    expect(plan).toMatchObject({ action: "create", refusal: null });
    expect(
      Object.fromEntries(plan.placements.map(({ group }: Placed) => [group, replicasOf(plan.placements, group)])),
    ).toEqual(places);
    expect(plan.placements.filter(({ host }: Placed) => host === null)).toEqual([]);
    expect(fieldsOf(plan.notes)).toEqual(notes);
    expect(plan.warnings).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
  });

  test.each(Object.keys(EXAMPLES))("%s has the name of its file", (name) => {
    const parsed = parseConfig(readFileSync(join(FOLDER, name), "utf8"), name);
    if (!parsed.ok || parsed.type !== "service") return;
    expect([name.replace(/\.yml$/, ""), name.replace("/service.yml", "")]).toContain(parsed.spec.name);
  });
});

test("the other profile is picked by its name", async () => {
  const file = join(FOLDER, "profiles/service.yml");
  const { out } = await stage.cli.run("plan", "-f", file, "--json", "--profile", "trial");
  expect(fieldsOf(JSON.parse(out).notes)).toEqual(["spot_policy"]);
});

interface Placed {
  group: string;
  host: string | null;
  replicas: number;
}

function replicasOf(placements: Placed[], name: string): number {
  return placements.filter(({ group }) => group === name).reduce((sum, { replicas }) => sum + replicas, 0);
}

/** The fields that notes are about, each once. */
function fieldsOf(notes: { message: string }[]): string[] {
  return [...new Set(notes.map(({ message }) => /^`(\w+)`/.exec(message)?.[1] ?? message))].sort();
}
