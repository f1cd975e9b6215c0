import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { freePorts, type RunningEngine, startEngine, statusOf, until } from "./testing/processes.ts";

/** The life of the process: how it starts, what it answers meanwhile, how it ends. */

const folder = mkdtempSync(join(tmpdir(), "engine-sim-life-"));
const engines: RunningEngine[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) {
    engine.process.kill("SIGKILL");
    await engine.ended;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(...flags: string[]): Promise<RunningEngine> {
  const [port] = (await freePorts(1)) as [number];
  return startOn(port, ...flags);
}

function startOn(port: number, ...flags: string[]): RunningEngine {
  const engine = startEngine("python3", port, flags, join(folder, `${port}.jsonl`));
  engines.push(engine);
  return engine;
}

async function startUp(...flags: string[]): Promise<RunningEngine> {
  const engine = await start(...flags);
  await until("it is up", () => engine.output().includes("ready to roll"), [engine]);
  return engine;
}

function complete(engine: RunningEngine, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ prompt: "hello", max_tokens: 3 });
  return fetch(`${engine.url}/v1/completions`, { method: "POST", body, headers });
}

it("is one process, closed while it loads, unhealthy while it starts, then healthy", async () => {
  const engine = await start("--sim-profile", "llama-8b-bf16", "--sim-load-seconds", "1", "--sim-speed", "2");
  const seen: number[] = [];
  await until("it is healthy", async () => {
    const status = await statusOf(`${engine.url}/health`);
    if (status !== seen.at(-1)) seen.push(status);
    return status === 200;
  });
  expect(seen).toEqual([0, 503, 200]);
  const said = ["Load weight begin", "100% Completed", "max_total_num_tokens=438000", "fired up and ready to roll"];
  const places = said.map((line) => engine.output().indexOf(line));
  expect(places).toEqual(places.toSorted((left, right) => left - right));
  expect(places[0]).toBeGreaterThanOrEqual(0);
  expect(await (await fetch(`${engine.url}/server_info`)).json()).toMatchObject({
    port: Number(engine.address.split(":")[1]),
  });
  // Python has become the engine: the process started is the one that serves, and ends with it.
  engine.process.kill("SIGKILL");
  expect(await engine.ended).toBe("SIGKILL");
  expect(await statusOf(`${engine.url}/health`)).toBe(0);
});

it("has /ready in 0.5.23 only", async () => {
  const [now, before] = await Promise.all([startUp(), startUp("--sim-version", "0.5.10")]);
  expect(await statusOf(`${now.url}/ready`)).toBe(200);
  expect(await statusOf(`${before.url}/ready`)).toBe(404);
  expect(await statusOf(`${before.url}/get_server_info`)).toBe(200);
});

it("ends with 0 after SIGTERM in 0.5.23, and kills itself in 0.5.10", async () => {
  const [now, before] = await Promise.all([
    startUp("--sim-speed", "20"),
    startUp("--sim-speed", "20", "--sim-version", "0.5.10"),
  ]);
  now.process.kill("SIGTERM");
  before.process.kill("SIGTERM");
  expect(await now.ended).toBe(0);
  expect(await before.ended).toBe("SIGKILL");
  expect(now.output()).toContain("Gracefully exiting... Remaining number of requests 0");
});

it("dies of SIGTERM while it loads, and as long as it has handled nothing", async () => {
  const loading = await start("--sim-load-seconds", "1000");
  await until("it loads", () => loading.output().includes("Load weight begin"), [loading]);
  const unused = await startUp("--skip-server-warmup");
  loading.process.kill("SIGTERM");
  unused.process.kill("SIGTERM");
  expect(await loading.ended).toBe("SIGTERM");
  expect(await unused.ended).toBe("SIGTERM");
});

it("drains once it has handled a request, warm-up or not", async () => {
  const engine = await startUp("--skip-server-warmup", "--sim-speed", "20");
  await (await complete(engine)).text();
  engine.process.kill("SIGTERM");
  expect(await engine.ended).toBe(0);
});

it("says why it cannot start", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const busy = startOn((taken.address() as { port: number }).port);
  expect(await busy.ended).toBe(1);
  expect(busy.output()).toContain("address already in use");
  taken.close();
  const wrong = await start("--disaggregation-mode", "both");
  expect(await wrong.ended).toBe(2);
  expect(wrong.output()).toContain("argument --disaggregation-mode: invalid choice: 'both'");
});

it("asks for its key everywhere but where probes look", async () => {
  const engine = await startUp("--api-key", "k", "--sim-speed", "20");
  expect(await statusOf(`${engine.url}/v1/models`)).toBe(401);
  expect(await statusOf(`${engine.url}/health`)).toBe(200);
  expect((await complete(engine)).status).toBe(401);
  expect((await complete(engine, { authorization: "Bearer k" })).status).toBe(200);
});
