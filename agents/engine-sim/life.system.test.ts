import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { helpText } from "./flags.ts";
import { Engines } from "./testing/engines.ts";
import { type RunningEngine, statusOf, until } from "./testing/processes.ts";

/** The life of the process: how it starts, what it answers meanwhile, how it ends. */

const engines = new Engines();

afterEach(() => engines.stop());
afterAll(() => engines.clear());

function complete(engine: RunningEngine, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ prompt: "hello", max_tokens: 3 });
  return fetch(`${engine.url}/v1/completions`, { method: "POST", body, headers });
}

it("is one process, closed while it loads, unhealthy while it starts, then healthy", async () => {
  const engine = await engines.start("--sim-profile", "llama-8b-bf16", "--sim-load-seconds", "1", "--sim-speed", "2");
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
  const [now, before] = await Promise.all([engines.startUp(), engines.startUp("--sim-version", "0.5.10")]);
  expect(await statusOf(`${now.url}/ready`)).toBe(200);
  expect(await statusOf(`${before.url}/ready`)).toBe(404);
  expect(await statusOf(`${before.url}/get_server_info`)).toBe(200);
});

it("ends with 0 after SIGTERM in 0.5.23, and kills itself in 0.5.10", async () => {
  const [now, before] = await Promise.all([
    engines.startUp("--sim-speed", "20"),
    engines.startUp("--sim-speed", "20", "--sim-version", "0.5.10"),
  ]);
  now.process.kill("SIGTERM");
  before.process.kill("SIGTERM");
  expect(await now.ended).toBe(0);
  expect(await before.ended).toBe("SIGKILL");
  expect(now.output()).toContain("Gracefully exiting... Remaining number of requests 0");
});

it("dies of SIGTERM while it loads, and as long as it has handled nothing", async () => {
  const loading = await engines.start("--sim-load-seconds", "1000");
  await until("it loads", () => loading.output().includes("Load weight begin"), [loading]);
  const unused = await engines.startUp("--skip-server-warmup");
  loading.process.kill("SIGTERM");
  unused.process.kill("SIGTERM");
  expect(await loading.ended).toBe("SIGTERM");
  expect(await unused.ended).toBe("SIGTERM");
});

it("drains once it has handled a request, warm-up or not", async () => {
  const engine = await engines.startUp("--skip-server-warmup", "--sim-speed", "20");
  await (await complete(engine)).text();
  engine.process.kill("SIGTERM");
  expect(await engine.ended).toBe(0);
});

it("says why it cannot start", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const busy = engines.startOn((taken.address() as { port: number }).port);
  expect(await busy.ended).toBe(1);
  expect(busy.output()).toContain("address already in use");
  taken.close();
  const wrong = await engines.start("--disaggregation-mode", "both");
  expect(await wrong.ended).toBe(2);
  expect(wrong.output()).toContain("argument --disaggregation-mode: invalid choice: 'both'");
});

it("asks for its key everywhere but where probes look", async () => {
  const engine = await engines.startUp("--api-key", "k", "--sim-speed", "20");
  expect(await statusOf(`${engine.url}/v1/models`)).toBe(401);
  expect(await statusOf(`${engine.url}/health`)).toBe(200);
  expect((await complete(engine)).status).toBe(401);
  expect((await complete(engine, { authorization: "Bearer k" })).status).toBe(200);
});

it("says its flags, and reads more of them from a file", async () => {
  const help = await engines.start("--help");
  expect(await help.ended).toBe(0);
  expect(help.output()).toBe(helpText());
  const folder = mkdtempSync(join(tmpdir(), "engine-sim-config-"));
  const config = join(folder, "flags.yml");
  writeFileSync(config, "api_key: secret\nserved-model-name: from-file\nskip-server-warmup: true\n");
  const engine = await engines.startUp("--config", config, "--served-model-name", "from-line");
  rmSync(folder, { recursive: true });
  expect(await statusOf(`${engine.url}/v1/models`)).toBe(401);
  const answer = await fetch(`${engine.url}/v1/models`, { headers: { authorization: "Bearer secret" } });
  expect(await answer.json()).toMatchObject({ data: [{ id: "from-line" }] });
});

it("has the model it serves and no other, and aborts a request by its id", async () => {
  const engine = await engines.startUp();
  expect(await statusOf(`${engine.url}/v1/models/sim-model`)).toBe(200);
  expect(await statusOf(`${engine.url}/v1/models/other`)).toBe(404);
  const body = JSON.stringify({ prompt: "x", max_tokens: 20_000, ignore_eos: true, rid: "mine" });
  const long = fetch(`${engine.url}/v1/completions`, { method: "POST", body });
  const busy = async () => (await fetch(`${engine.url}/flush_cache`, { method: "POST" })).status === 400;
  await until("it runs", busy, [engine]);
  const abort = (rid: string) =>
    fetch(`${engine.url}/abort_request`, { method: "POST", body: JSON.stringify({ rid, abort_all: false }) });
  expect((await abort("another")).status).toBe(200);
  expect((await abort("mine")).status).toBe(200);
  expect((await long).status).toBe(500);
  expect(engine.records()).toMatchObject([{ id: "mine", outcome: "aborted" }]);
  expect(await busy()).toBe(false);
});
