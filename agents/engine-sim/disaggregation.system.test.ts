import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RequestRecord } from "./record.ts";
import { freePorts, type RunningEngine, startEngine, until } from "./testing/processes.ts";

/** A prefill and a decode by themselves, and what becomes of one when the other fails. */

/** Ten simulated seconds in one: the heartbeat of 5 s beats twice a second. */
const SPEED = ["--sim-speed", "10"];

const folder = mkdtempSync(join(tmpdir(), "engine-sim-pd-"));
let prefill: RunningEngine;
let decode: RunningEngine;
let bootstrapPort: number;
let rooms = 6_280_667_732_205_302_000n;

async function startPrefill(): Promise<RunningEngine> {
  const [port, bootstrap] = (await freePorts(2)) as [number, number];
  bootstrapPort = bootstrap;
  const flags = ["--disaggregation-mode", "prefill", "--disaggregation-bootstrap-port", String(bootstrap), ...SPEED];
  return startEngine("python3", port, flags, join(folder, `prefill-${port}.jsonl`));
}

beforeAll(async () => {
  prefill = await startPrefill();
  const [port] = (await freePorts(1)) as [number];
  decode = startEngine("python3", port, ["--disaggregation-mode", "decode", ...SPEED], join(folder, "decode.jsonl"));
  for (const engine of [prefill, decode]) {
    await until("it is up", () => engine.output().includes("ready to roll"), [engine]);
  }
});

afterAll(async () => {
  for (const engine of [prefill, decode]) {
    engine.process.kill("SIGKILL");
    await engine.ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A body as a router sends it to both; the room's digits must not pass through a number. */
function bodyFor(room: bigint, body: Record<string, unknown> = {}): string {
  const all = { prompt: "hello", max_tokens: 8, ignore_eos: true, bootstrap_host: "127.0.0.1", ...body };
  return JSON.stringify({ ...all, bootstrap_port: bootstrapPort }).replace(/}$/, `,"bootstrap_room":${room}}`);
}

function nextRoom(): bigint {
  rooms += 1n;
  return rooms;
}

function post(engine: RunningEngine, body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${engine.url}/v1/completions`, { method: "POST", body, ...(signal ? { signal } : {}) });
}

async function recordOf(engine: RunningEngine, room: bigint): Promise<RequestRecord> {
  const find = () => engine.records().find((record) => record.room === String(room));
  await until(`room ${room} is recorded`, () => find() !== undefined, [engine]);
  return find()!;
}

async function counters(engine: RunningEngine): Promise<Record<string, number>> {
  const answer = await fetch(`${engine.url}/v1/loads?include=core,disagg,queues`);
  const { loads } = (await answer.json()) as {
    loads: [{ disaggregation: Record<string, number>; num_running_reqs: number; num_used_tokens: number }];
  };
  return { ...loads[0].disaggregation, running: loads[0].num_running_reqs, used: loads[0].num_used_tokens };
}

async function expectNothingLeft(engine: RunningEngine): Promise<void> {
  const left = async () =>
    Object.values(await counters(engine)).filter((value) => typeof value === "number" && value > 0);
  await until("nothing is left", async () => (await left()).length === 0, [engine]);
}

describe("a prefill and a decode", () => {
  it("hand a request over, whichever hears of it first", async () => {
    for (const [first, second] of [
      [prefill, decode],
      [decode, prefill],
    ] as const) {
      const room = nextRoom();
      const early = post(first, bodyFor(room));
      const queue = first === prefill ? "prefill_bootstrap_queue_reqs" : "decode_transfer_queue_reqs";
      await until("the first waits for the second", async () => ((await counters(first))[queue] ?? 0) === 1, [first]);
      const answers = await Promise.all([early, post(second, bodyFor(room))]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      await Promise.all(answers.map((answer) => answer.text()));
      expect(await recordOf(prefill, room)).toMatchObject({ outcome: "success", tokens: 1, peer: decode.address });
      expect(await recordOf(decode, room)).toMatchObject({
        outcome: "success",
        tokens: 8,
        peer: `127.0.0.1:${bootstrapPort}`,
      });
    }
    await Promise.all([prefill, decode].map(expectNothingLeft));
  });

  it("keep rooms apart that differ in their last digit only", async () => {
    const pair = [nextRoom(), nextRoom()] as const;
    const answers = await Promise.all(
      pair.flatMap((room, index) =>
        [prefill, decode].map((engine) => post(engine, bodyFor(room, { prompt: `question ${index}` }))),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    for (const room of pair) {
      expect((await recordOf(prefill, room)).promptHash).toBe((await recordOf(decode, room)).promptHash);
    }
  });

  it("refuse a request without a room, in SGLang's flat shape", async () => {
    for (const engine of [prefill, decode]) {
      const answer = await fetch(`${engine.url}/v1/completions`, { method: "POST", body: '{"prompt":"x"}' });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({
        object: "error",
        message: "Disaggregated request received without bootstrap room id",
        type: "BadRequest",
        param: null,
        code: 400,
      });
    }
  });

  it("meet nobody for a warm-up's room", async () => {
    for (const engine of [prefill, decode]) expect((await post(engine, bodyFor(0n))).status).toBe(200);
  });
});

it("a prefill's bootstrap service says how it is laid out, and where its ranks are", async () => {
  const ask = (path: string) => fetch(`http://127.0.0.1:${bootstrapPort}${path}`);
  const route = (place: number) =>
    ask(`/route?prefill_dp_rank=${place}&prefill_cp_rank=${place}&target_tp_rank=${place}&target_pp_rank=${place}`);
  expect(await (await ask("/health")).text()).toBe("OK");
  expect(await (await route(-1)).json()).toMatchObject({
    attn_tp_size: 1,
    dp_size: 1,
    follow_bootstrap_room: true,
    prefill_http_port: Number(prefill.address.split(":")[1]),
  });
  expect(await (await route(0)).json()).toEqual({ rank_ip: "127.0.0.1", rank_port: bootstrapPort });
  expect((await route(1)).status).toBe(404);
  expect((await ask("/sim/rooms/123/kv")).status).toBe(404);
});

describe("when one half goes", () => {
  it("a decode fails at once if its prefill's client left", async () => {
    const room = nextRoom();
    const left = new AbortController();
    const given = post(prefill, bodyFor(room, { prompt: "x".repeat(60_000) }), left.signal).catch(() => null);
    await until("the prefill waits", async () => ((await counters(prefill)).prefill_bootstrap_queue_reqs ?? 0) === 1);
    left.abort();
    await given;
    expect(await recordOf(prefill, room)).toMatchObject({ outcome: "aborted" });
    const answer = await post(decode, bodyFor(room));
    expect(answer.status).toBe(500);
    expect(((await answer.json()) as { message: string }).message).toContain("the client left the prefill");
    await Promise.all([prefill, decode].map(expectNothingLeft));
  });

  it("a prefill fails at once if its decode's client left", async () => {
    const room = nextRoom();
    const left = new AbortController();
    const given = post(decode, bodyFor(room), left.signal).catch(() => null);
    await until("the decode waits", async () => ((await counters(decode)).decode_transfer_queue_reqs ?? 0) === 1);
    left.abort();
    await given;
    const answer = await post(prefill, bodyFor(room));
    expect(answer.status).toBe(500);
    expect(((await answer.json()) as { message: string }).message).toContain("gave up room");
    expect(await recordOf(decode, room)).toMatchObject({ outcome: "aborted" });
    await Promise.all([prefill, decode].map(expectNothingLeft));
  });

  it("a decode gives up after two heartbeats of a prefill that was killed, and works with the next", async () => {
    const room = nextRoom();
    const waiting = post(decode, bodyFor(room));
    await until("the decode waits", async () => ((await counters(decode)).decode_transfer_queue_reqs ?? 0) === 1);
    const start = performance.now();
    prefill.process.kill("SIGKILL");
    const answer = await waiting;
    const simulatedS = (performance.now() - start) / 100;
    expect(answer.status).toBe(500);
    expect(((await answer.json()) as { message: string }).message).toContain("is gone: 2 heartbeats were missed");
    expect(simulatedS).toBeGreaterThan(4);
    await expectNothingLeft(decode);

    prefill = await startPrefill();
    await until("it is up", () => prefill.output().includes("ready to roll"), [prefill]);
    const again = nextRoom();
    const answers = await Promise.all([prefill, decode].map((engine) => post(engine, bodyFor(again))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});
