import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RequestRecord } from "./record.ts";
import {
  bodyFor as bodyOf,
  counters,
  Engines,
  nextRoom,
  post,
  type RunningPrefill,
  untilNothingLeft,
} from "./testing/engines.ts";
import { type RunningEngine, until } from "./testing/processes.ts";

/** A prefill and a decode by themselves, and what becomes of one when the other fails. */

/** Ten simulated seconds in one: the heartbeat of 5 s beats twice a second. */
const SPEED = 10;

const engines = new Engines();
let prefill: RunningPrefill;
let decode: RunningEngine;

async function startPair(): Promise<void> {
  ({ prefill, decode } = await engines.startPair({ both: ["--sim-speed", String(SPEED)] }));
}

beforeAll(startPair);
afterAll(() => engines.clear());

function bodyFor(room: bigint, body: Record<string, unknown> = {}): string {
  return bodyOf(prefill.bootstrapPort, room, body);
}

async function recordOf(engine: RunningEngine, room: bigint): Promise<RequestRecord> {
  const find = () => engine.records().find((record) => record.room === String(room));
  await until(`room ${room} is recorded`, () => find() !== undefined, [engine]);
  return find()!;
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
        peer: `127.0.0.1:${prefill.bootstrapPort}`,
      });
    }
    await Promise.all([prefill, decode].map(untilNothingLeft));
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
  const ask = (path: string) => fetch(`http://127.0.0.1:${prefill.bootstrapPort}${path}`);
  const route = (place: number) =>
    ask(`/route?prefill_dp_rank=${place}&prefill_cp_rank=${place}&target_tp_rank=${place}&target_pp_rank=${place}`);
  expect(await (await ask("/health")).text()).toBe("OK");
  expect(await (await route(-1)).json()).toMatchObject({
    attn_tp_size: 1,
    dp_size: 1,
    follow_bootstrap_room: true,
    prefill_http_port: Number(prefill.address.split(":")[1]),
  });
  expect(await (await route(0)).json()).toEqual({ rank_ip: "127.0.0.1", rank_port: prefill.bootstrapPort });
  expect((await route(1)).status).toBe(404);
  expect((await ask("/sim/rooms/123/kv")).status).toBe(404);
});

it("a prefill's bootstrap service remembers for decodes which rank has a room", async () => {
  const send = (path: string, body: string) =>
    fetch(`http://127.0.0.1:${prefill.bootstrapPort}${path}`, { method: "POST", body });
  const room = "9223372036854775807";
  expect((await send("/register_dp_rank", `{"bootstrap_room":${room},"dp_rank":1}`)).status).toBe(200);
  const ranks = await send("/query_dp_ranks", `{"bootstrap_rooms":[${room},7]}`);
  expect(await ranks.json()).toEqual({ [room]: 1 });
});

it("several answers to one request have rooms that follow each other", async () => {
  const room = nextRoom();
  const answers = await Promise.all([prefill, decode].map((engine) => post(engine, bodyFor(room, { n: 2 }))));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const { choices } = (await answers[1]!.json()) as { choices: { index: number; text: string }[] };
  expect(choices.map(({ index }) => index)).toEqual([0, 1]);
  for (const engine of [prefill, decode]) {
    for (const own of [room, room + 1n]) expect(await recordOf(engine, own)).toMatchObject({ outcome: "success" });
  }
  await Promise.all([prefill, decode].map(untilNothingLeft));
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
    await Promise.all([prefill, decode].map(untilNothingLeft));
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
    await Promise.all([prefill, decode].map(untilNothingLeft));
  });
});

describe("acceptance (d): a prefill that goes", () => {
  /** Between 5 and 20 simulated seconds; five times that at most, for machines that are slow themselves. */
  async function expectGivenUp(halt: () => void): Promise<void> {
    const waiting = post(decode, bodyFor(nextRoom()));
    await until("the decode waits", async () => ((await counters(decode)).decode_transfer_queue_reqs ?? 0) === 1);
    const start = performance.now();
    halt();
    const answer = await waiting;
    const simulatedS = ((performance.now() - start) / 1000) * SPEED;
    expect(answer.status).toBe(500);
    expect(((await answer.json()) as { message: string }).message).toContain("is gone: 2 heartbeats were missed");
    expect(simulatedS).toBeGreaterThan(4);
    expect(simulatedS).toBeLessThan(5 * 20);
    await untilNothingLeft(decode);
  }

  it("fails its rooms after two missed heartbeats, whether it was killed or froze, and the decode works on", async () => {
    await expectGivenUp(() => prefill.process.kill("SIGSTOP"));
    prefill.process.kill("SIGCONT");
    await expectGivenUp(() => prefill.process.kill("SIGKILL"));
    const old = decode;
    await startPair();
    const room = nextRoom();
    const answers = await Promise.all([prefill, old].map((engine) => post(engine, bodyFor(room))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});
