import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bodyFor, counters, nextRoom } from "../../agents/engine-sim/testing/engines.ts";
import { type RunningEngine, statusOf, until } from "../../agents/engine-sim/testing/processes.ts";
import { type RunningAgent, startAgent } from "../../agents/host/agent.ts";
import { desiredJob, probe } from "../../agents/host/decide/testing.ts";
import { openProcessRuntime } from "../../agents/host/runtime/process/process-runtime.ts";
import { JOIN_TOKEN, TestControlPlane } from "../../agents/host/testing/control-plane.ts";
import { engineAdapter } from "../../src/adapters/index.ts";
import type { DesiredJob } from "../../src/wire/index.ts";
import { plainInventory } from "../support/inventories.ts";
import { freePorts } from "../support/ports.ts";

/**
 * The agent quiesces a prefill that is still sending its cache: nothing runs in it and nothing waits, and yet it must
 * not be told to end. The agent's question, our adapter's reading of the answer and the engine are all real.
 */

/** 30,000 tokens of a 70B model are 10 GB: eight simulated seconds over TCP, four real ones, of which idle takes one. */
const SPEED = "2";
const PROMPT = "x".repeat(120_000);

const control = new TestControlPlane();
const launcher = join(import.meta.dirname, "..", "..", "agents", "engine-sim", "launch.js");
let dataDir: string;
let agent: RunningAgent;

async function start(stopJobsOnExit: boolean): Promise<RunningAgent> {
  return startAgent({
    server: control.url,
    joinToken: JOIN_TOKEN,
    name: "host-1",
    dataDir,
    stopJobsOnExit,
    facts: {
      machine: "machine-1",
      bootId: "boot-1",
      address: "127.0.0.1",
      inventory: async () => plainInventory({ cpus: 2, memoryGib: 4, diskGib: 10 }),
      watch: () => undefined,
      busyPorts: async () => [],
    },
    runtimes: [await openProcessRuntime({ dataDir, user: null })],
    log: () => {},
  });
}

function job(role: "prefill" | "decode", port: number, bootstrapPort: number): DesiredJob {
  const flags = [
    ...["--model-path", "sim-model", "--port", port, "--sim-speed", SPEED],
    ...["--sim-profile", "llama-70b-bf16", "--sim-load-seconds", "0", "--disaggregation-mode", role],
    ...["--disaggregation-bootstrap-port", bootstrapPort, "--disaggregation-transfer-backend", "mooncake_tcp"],
  ];
  return desiredJob({
    job: `${role}-1.0`,
    role,
    port,
    ports: role === "prefill" ? [port, bootstrapPort] : [port],
    probes: [probe({ path: engineAdapter("sglang")!.probe.url, intervalMs: 1_000, timeoutMs: 20_000 })],
    launch: {
      runtime: "process",
      image: null,
      shell: "/bin/sh",
      script: `exec ${process.execPath} ${launcher} ${flags.join(" ")}`,
      env: {},
      workingDir: null,
      files: [],
      container: null,
    },
  });
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "hr-quiesce-"));
  await control.listen();
  agent = await start(true);
});

afterAll(async () => {
  await agent.close();
  await control.close();
  await rm(dataDir, { recursive: true, force: true });
});

it("leaves a prefill alone until its last cache is sent, then ends it", async () => {
  await control.heard(() => true);
  const [prefillPort, decodePort, bootstrapPort] = (await freePorts(3)) as [number, number, number];
  const jobs = [job("prefill", prefillPort, bootstrapPort), job("decode", decodePort, bootstrapPort)] as const;
  await control.want([...jobs]);
  await control.state("prefill-1.0", "ready");
  await control.state("decode-1.0", "ready");

  const engines = [prefillPort, decodePort].map((port) => ({ url: `http://127.0.0.1:${port}` }) as RunningEngine);
  const [prefill] = engines as [RunningEngine];
  const body = bodyFor(bootstrapPort, nextRoom(), { prompt: PROMPT, max_tokens: 4 });
  const asked = Promise.all(engines.map(({ url }) => fetch(`${url}/v1/completions`, { method: "POST", body })));
  await until("it sends its cache", async () => {
    const { prefill_inflight_queue_reqs: sending, running, waiting } = await counters(prefill);
    return sending === 1 && running === 0 && waiting === 0;
  });
  await control.want([{ ...jobs[0], phase: { kind: "quiesce", withinMs: 120_000 } }, jobs[1]]);
  await control.state("prefill-1.0", "quiescing");

  // SGLang is unready from the moment it is told to end: had the agent done so, one of these would say it.
  let answered = false;
  void asked.then(() => {
    answered = true;
  });
  const seen: number[] = [];
  await until("the request is answered", async () => {
    const status = await statusOf(`${prefill.url}/ready`);
    if (!answered) seen.push(status);
    return answered;
  });
  expect(seen.filter((status) => status !== 200)).toEqual([]);
  expect((await asked).map(({ status }) => status)).toEqual([200, 200]);
  expect(await control.state("prefill-1.0", "ended")).toMatchObject({ state: "ended" });
});
