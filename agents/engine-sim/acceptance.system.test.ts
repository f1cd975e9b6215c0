import { afterAll, afterEach, describe, expect, it } from "vitest";
import { engineAdapter } from "../../src/adapters/index.ts";
import { bodyFor, counters, Engines, nextRoom, post, scrape, untilNothingLeft } from "./testing/engines.ts";
import { type RunningEngine, statusOf, until } from "./testing/processes.ts";

/** What an autoscaler and an agent rely on, with real processes. (a) is in littles-law, (c) in model, (d) in disaggregation. */

const engines = new Engines();
const adapter = engineAdapter("sglang")!;

afterEach(() => engines.stop());
afterAll(() => engines.clear());

async function isIdle(engine: RunningEngine): Promise<boolean | null> {
  const answer = await fetch(engine.url + adapter.idle.question.path);
  return adapter.idle.read(answer.status, await answer.text());
}

describe("acceptance (b): a decode whose cache is full", () => {
  it("shows as a bootstrap queue that grows on the prefill, whose own queue stays empty", async () => {
    const { prefill, decode } = await engines.startPair({
      both: ["--enable-metrics"],
      // Its gauges are looked at every 30 simulated seconds while nothing runs.
      prefill: ["--sim-speed", "10"],
      decode: ["--max-total-tokens", "2000"],
    });
    const left = new AbortController();
    const requests = Array.from({ length: 8 }, () => nextRoom()).flatMap((room) =>
      [prefill, decode].map((engine) => {
        const body = bodyFor(prefill.bootstrapPort, room, { prompt: "x".repeat(2000), max_tokens: 1500 });
        return post(engine, body, left.signal).catch(() => null);
      }),
    );
    // 500 tokens each, and 512 kept free for each that is there: two fit, at most three.
    await until("the prefill waits for the decode", async () => {
      const { prefill_bootstrap_queue_reqs: bootstrap = 0, waiting = 0 } = await counters(prefill);
      return bootstrap >= 5 && waiting === 0;
    });
    await until("the decode has no room", async () => ((await counters(decode)).decode_prealloc_queue_reqs ?? 0) >= 5);
    await until("the gauges show it", async () => {
      const [ofPrefill, ofDecode] = [await scrape(prefill), await scrape(decode)];
      const waits = ofPrefill.value("sglang:num_prefill_bootstrap_queue_reqs") >= 4;
      const hasNoRoom = ofDecode.value("sglang:num_decode_prealloc_queue_reqs") >= 4;
      return waits && hasNoRoom && ofPrefill.value("sglang:num_queue_reqs") === 0;
    });
    expect([await isIdle(prefill), await isIdle(decode)]).toEqual([false, false]);
    left.abort();
    await Promise.all(requests);
    await Promise.all([prefill, decode].map(untilNothingLeft));
    expect([await isIdle(prefill), await isIdle(decode)]).toEqual([true, true]);
  });
});

describe("a prefill that still sends its cache", () => {
  it("is not idle to our adapter, although nothing runs and nothing waits", async () => {
    // 30,000 tokens of a 70B model are 10 GB: eight simulated seconds over TCP.
    const { prefill, decode } = await engines.startPair({
      both: ["--sim-profile", "llama-70b-bf16", "--sim-load-seconds", "0", "--sim-speed", "2"],
      prefill: ["--disaggregation-transfer-backend", "mooncake_tcp"],
    });
    const left = new AbortController();
    const body = bodyFor(prefill.bootstrapPort, nextRoom(), { prompt: "x".repeat(120_000) });
    const requests = [prefill, decode].map((engine) => post(engine, body, left.signal).catch(() => null));
    await until("it sends", async () => {
      const { prefill_inflight_queue_reqs: inflight, running, waiting } = await counters(prefill);
      return inflight === 1 && running === 0 && waiting === 0;
    });
    expect([await isIdle(prefill), await isIdle(decode)]).toEqual([false, false]);
    left.abort();
    await Promise.all(requests);
    await until("both are idle", async () => (await isIdle(prefill)) === true && (await isIdle(decode)) === true);
  });
});

describe("acceptance (e): a drain", () => {
  it.each(["0.5.23", "0.5.10"])("loses no request in %s, not even one that comes after it began", async (version) => {
    const engine = await engines.startUp("--sim-speed", "5", "--sim-version", version);
    const tokensOf = (index: number) => 200 + 400 * index;
    const ask = (index: number) =>
      post(engine, JSON.stringify({ prompt: `${index}`, max_tokens: tokensOf(index), ignore_eos: true, stream: true }));
    const before = await Promise.all(Array.from({ length: 12 }, (_, index) => ask(index)));
    engine.process.kill("SIGTERM");
    await until("it is unhealthy", async () => (await statusOf(`${engine.url}/health`)) === 503, [engine]);
    const after = await ask(3);
    const texts = await Promise.all([...before, after].map((answer) => answer.text()));
    for (const [place, text] of texts.entries()) {
      const tokens = text.split("\n\n").filter((event) => event.includes('"finish_reason":null')).length;
      expect(tokens).toBe(tokensOf(place === 12 ? 3 : place));
      expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    }
    expect(await engine.ended).toBe(version === "0.5.10" ? "SIGKILL" : 0);
    expect(engine.records().map(({ outcome }) => outcome)).toEqual(texts.map(() => "success"));
    expect(await statusOf(`${engine.url}/health`)).toBe(0);
  });
});

describe("acceptance (f): a scrape", () => {
  it("is read by a strict parser, whatever the role and version", async () => {
    for (const version of ["0.5.23", "0.5.10"]) {
      const both = ["--enable-metrics", "--sim-version", version];
      const { prefill, decode } = await engines.startPair({ both });
      const room = nextRoom();
      const body = bodyFor(prefill.bootstrapPort, room, { max_tokens: 100, stream: true });
      await Promise.all([prefill, decode].map(async (engine) => (await post(engine, body)).text()));
      const [ofPrefill, ofDecode] = [await scrape(prefill), await scrape(decode)];
      const names = ({ samples }: typeof ofPrefill) => new Set(samples.map(({ name }) => name));
      expect(names(ofPrefill).has("sglang:time_to_first_token_seconds_count")).toBe(false);
      expect(ofDecode.value("sglang:time_to_first_token_seconds_count")).toBe(1);
      expect(ofDecode.value("sglang:inter_token_latency_seconds_count")).toBe(99);
      expect(ofPrefill.value("sglang:kv_transfer_latency_ms_count")).toBe(1);
      expect(ofPrefill.value("sglang:per_stage_req_latency_seconds_count", { stage: "prefill_forward" })).toBe(1);
      expect(ofPrefill.value("sglang:e2e_request_latency_seconds_count")).toBe(1);
    }
    const without = await engines.startUp();
    expect(await statusOf(`${without.url}/metrics`)).toBe(404);
  });
});
