import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RequestRecord } from "../../agents/engine-sim/record.ts";
import {
  type Running,
  type RunningEngine,
  startEngine,
  startProcess,
  statusOf,
  until,
} from "../../agents/engine-sim/testing/processes.ts";
import { ensurePython } from "../../scripts/python.ts";
import { engineAdapter, type HttpQuestion, type ListedWorker, routerAdapter } from "../../src/adapters/index.ts";
import { freePorts } from "../support/ports.ts";

/**
 * The real SMG in front of one simulated prefill and two decodes, with no control plane: what our adapters ask and read
 * is right, and the simulation is enough of an SGLang to be registered, paired, streamed from and drained.
 */

const MODEL = "sim-model";
/** Simulated seconds per second: a token takes half a millisecond, a drain looks once in 1.25 s. */
const SPEED = 4;

const engine = engineAdapter("sglang")!;
const router = routerAdapter("smg")!;
const folder = mkdtempSync(join(tmpdir(), "smg-engine-sim-"));
const processes: Running[] = [];

interface Worker extends RunningEngine {
  role: "prefill" | "decode";
}

let smgUrl: string;
let prefill: Worker;
let decodes: Worker[];
let bootstrapPort: number;

beforeAll(async () => {
  const { bin } = await ensurePython();
  const ports = await freePorts(6);
  const [smgPort, metricsPort, prefillPort, bootstrap, ...decodePorts] = ports as [number, number, number, number];
  bootstrapPort = bootstrap;
  smgUrl = `http://127.0.0.1:${smgPort}`;
  const address = ["--host", "127.0.0.1", "--port", String(smgPort)];
  const metrics = ["--prometheus-host", "127.0.0.1", "--prometheus-port", String(metricsPort)];
  const policies = ["--prefill-policy", "round_robin", "--decode-policy", "round_robin"];
  processes.push(
    startProcess(join(bin, "smg"), ["launch", "--pd-disaggregation", ...address, ...metrics, ...policies]),
  );
  prefill = startWorker(bin, "prefill", prefillPort, ["--disaggregation-bootstrap-port", String(bootstrapPort)]);
  decodes = decodePorts.map((port) => startWorker(bin, "decode", port, []));
});

afterAll(async () => {
  for (const { process } of processes) process.kill("SIGKILL");
  await Promise.all(processes.map(({ ended }) => ended));
  rmSync(folder, { recursive: true, force: true });
});

it("registers the workers by our adapter's questions, and is ready then", async () => {
  await until("the router listens", async () => (await statusOf(`${smgUrl}/health`)) === 200, processes);
  for (const worker of [prefill, ...decodes]) {
    const probe = worker.url + engine.probe.url;
    await until(`${worker.url} is healthy`, async () => (await statusOf(probe)) === 200, processes);
    const { status, body } = await ask(worker.url, engine.identify.question);
    const identity = engine.identify.read(status, body);
    expect(identity).toEqual({ role: worker.role, bootstrapPort: worker.role === "prefill" ? bootstrapPort : null });
    expect(await readiness()).toBe(false);
    const labels = { pairing_protocol: "first" };
    expect((await ask(smgUrl, router.add({ url: worker.url, ...identity!, labels }))).status).toBe(202);
  }
  await until("the router is ready", readiness);
  await until("all are listed", async () => (await listed()).filter(({ status }) => status === "ready").length === 3);
  expect(
    (await listed())
      .map(({ url, role, bootstrapPort: port, labels }) => ({ url, role, port, label: labels.pairing_protocol }))
      .sort(byUrl),
  ).toEqual(
    [prefill, ...decodes]
      .map(({ url, role }) => ({ url, role, port: role === "prefill" ? bootstrapPort : null, label: "first" }))
      .sort(byUrl),
  );
});

it("answers alike, streamed and whole, whichever worker serves", async () => {
  const whole = await Promise.all(Array.from({ length: 4 }, () => chat({ content: "hello", max_tokens: 12 })));
  const answers = await Promise.all(whole.map((answer) => answer.json() as Promise<Completion>));
  const streamed = await readStream(await chat({ content: "hello", max_tokens: 12, stream: true }));
  const texts = answers.map((answer) => answer.choices[0]?.message?.content);
  expect(texts[0]?.split(" ").length).toBeGreaterThan(1);
  expect(new Set([...texts, streamed.text])).toEqual(new Set([texts[0]]));
  expect(streamed.done).toBe(true);
  expect(streamed.tokens).toBe(answers[0]?.usage.completion_tokens);
});

it("pairs each room with exactly one prefill and one decode", async () => {
  const requests = Array.from({ length: 24 }, (_, index) =>
    chat({ content: `question ${index}`, max_tokens: 8, stream: index % 2 === 0 }),
  );
  for (const answer of await Promise.all(requests)) {
    expect(answer.status).toBe(200);
    await answer.text();
  }
  const halves = Map.groupBy(allRecords(), ({ room }) => room);
  expect(halves.size).toBeGreaterThanOrEqual(24);
  for (const [room, records] of halves) {
    expect(room).toMatch(/^\d{1,19}$/);
    expect(records.map(({ role, outcome }) => `${role} ${outcome}`).sort()).toEqual([
      "decode success",
      "prefill success",
    ]);
    expect(new Set(records.map(({ promptHash }) => promptHash)).size).toBe(1);
  }
  // A room that went through a double is written with the digits of that double; of 24 random ones most are not.
  expect([...halves.keys()].some((room) => String(Number(room)) !== room)).toBe(true);
  for (const decode of decodes) {
    expect(decode.records().length).toBeGreaterThan(0);
    expect(new Set(decode.records().map(({ peer }) => peer))).toEqual(new Set([`127.0.0.1:${bootstrapPort}`]));
  }
  expect(new Set(prefill.records().map(({ peer }) => `http://${peer}`))).toEqual(
    new Set(decodes.map(({ url }) => url)),
  );
});

it("reads the workers' metrics, and merges them", async () => {
  const answer = await fetch(`${smgUrl}/engine_metrics`);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split("\n").filter((line) => line.includes("num_used_tokens{"));
  expect(lines.length).toBe(3);
  for (const worker of [prefill, ...decodes]) {
    expect(lines.some((line) => line.includes(`worker_addr="${worker.url}"`))).toBe(true);
  }
});

it("gives up a request whose client leaves, on the decode's side too", async () => {
  const left = new AbortController();
  const answer = await chat({ content: "leave", max_tokens: 8000, stream: true }, left.signal);
  await answer.body!.getReader().read();
  expect(await idle(servedBy(answer))).toBe(false);
  left.abort();
  await until("the decode has noted it", async () => allRecords().some(({ outcome }) => outcome === "aborted"));
  expect(allRecords().filter(({ outcome }) => outcome === "aborted")).toMatchObject([{ role: "decode", stream: true }]);
  for (const worker of [prefill, ...decodes]) await until(`${worker.url} is idle`, () => idle(worker));
});

it("loses nothing when a decode is taken out and drained in mid-stream", async () => {
  const answer = await chat({ content: "drain", max_tokens: 4000, stream: true });
  const reader = answer.body!.getReader();
  const first = await reader.read();
  const leaving = servedBy(answer);
  const staying = decodes.find((decode) => decode !== leaving)!;
  expect(await idle(leaving)).toBe(false);

  const { handle } = (await listed()).find(({ url }) => url === leaving.url)!;
  expect((await ask(smgUrl, router.remove(handle))).status).toBe(202);
  leaving.process.kill("SIGTERM");
  await until("its health is bad", async () => (await statusOf(`${leaving.url}/ready`)) === 503, processes);

  const before = leaving.records().length;
  const others = await Promise.all(
    Array.from({ length: 6 }, (_, index) => chat({ content: `other ${index}`, max_tokens: 4 })),
  );
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(new Set(others.map(servedBy))).toEqual(new Set([staying]));

  const rest = await readEvents(reader, new TextDecoder().decode(first.value));
  expect(rest.done).toBe(true);
  expect(rest.tokens).toBe(4000);
  expect(await leaving.ended).toBe(0);
  expect(leaving.records().slice(before)).toMatchObject([{ outcome: "success", tokens: 4000 }]);
  for (const worker of [prefill, staying]) await until(`${worker.url} is idle`, () => idle(worker));
  await until("it is no longer listed", async () => (await listed()).every(({ url }) => url !== leaving.url));
});

interface Completion {
  choices: { message?: { content: string }; delta?: { content?: string } }[];
  usage: { completion_tokens: number };
}

function chat(
  { content, ...rest }: { content: string; max_tokens: number; stream?: boolean },
  signal?: AbortSignal,
): Promise<Response> {
  const body = { model: MODEL, messages: [{ role: "user", content }], ignore_eos: true, ...rest };
  return fetch(`${smgUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

function servedBy(answer: Response): Worker {
  const url = answer.headers.get("x-smg-routed-worker-id");
  return decodes.find((decode) => decode.url === url) ?? expect.fail(`no decode is ${url}`);
}

function readStream(answer: Response) {
  return readEvents(answer.body!.getReader(), "");
}

/** Reads a stream to its end: its text, how many chunks had some, and whether it ended as it should. */
async function readEvents(reader: ReadableStreamDefaultReader<Uint8Array>, start: string) {
  const decoder = new TextDecoder();
  let text = start;
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += decoder.decode(part.value, { stream: true });
  const events = text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace("data: ", ""));
  const done = events.at(-1) === "[DONE]";
  const chunks = events.filter((event) => event !== "[DONE]").map((event) => JSON.parse(event) as Completion);
  const words = chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").filter((word) => word !== "");
  return { done, tokens: words.length, text: words.join("") };
}

async function idle(worker: Worker): Promise<boolean> {
  const { status, body } = await ask(worker.url, engine.idle.question);
  return engine.idle.read(status, body) ?? expect.fail(`${worker.url} does not say whether it is idle: ${body}`);
}

async function readiness(): Promise<boolean> {
  const { status, body } = await ask(smgUrl, router.readiness.question);
  return router.readiness.read(status, body);
}

async function listed(): Promise<ListedWorker[]> {
  const { status, body } = await ask(smgUrl, router.list.question);
  return router.list.read(status, body) ?? expect.fail(`no list of workers: ${body}`);
}

/** Asks as the agent does. @returns status 0 while nobody listens */
async function ask(url: string, { method, path, body }: HttpQuestion): Promise<{ status: number; body: string }> {
  try {
    const answer = await fetch(url + path, {
      method,
      ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
    });
    return { status: answer.status, body: await answer.text() };
  } catch {
    return { status: 0, body: "" };
  }
}

function allRecords(): RequestRecord[] {
  return [prefill, ...decodes].flatMap((worker) => worker.records());
}

function startWorker(bin: string, role: Worker["role"], port: number, flags: string[]): Worker {
  const simulation = ["--sim-profile", "tiny", "--sim-speed", String(SPEED), "--sim-seed", String(port)];
  const record = join(folder, `${role}-${port}.jsonl`);
  const engine = startEngine(
    join(bin, "python"),
    port,
    ["--disaggregation-mode", role, "--enable-metrics", ...flags, ...simulation],
    record,
  );
  processes.push(engine);
  return { ...engine, role };
}

function byUrl(left: { url: string }, right: { url: string }): number {
  return left.url.localeCompare(right.url);
}
