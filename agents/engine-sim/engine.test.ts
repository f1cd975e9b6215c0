import { describe, expect, it } from "vitest";
import { parseExposition } from "./testing/strict-exposition.ts";
import { VirtualEngine } from "./testing/virtual-engine.ts";

describe("the engine", () => {
  it("does the same again with the same seed, and not with another", async () => {
    const run = async (seed: string) => {
      const engine = new VirtualEngine("--sim-profile", "llama-8b-bf16", "--sim-seed", seed);
      const all = ["a", "b", "c"].map((prompt) => engine.complete({ prompt, max_tokens: 50 }));
      return (await engine.clock.run(Promise.all(all))).map(({ end }) => end);
    };
    expect(await run("1")).toEqual(await run("1"));
    expect(await run("2")).not.toEqual(await run("1"));
  });

  it("refuses what would queue too long, and gives up one who leaves", async () => {
    const engine = new VirtualEngine("--max-running-requests", "1", "--max-queued-requests", "1");
    const left = new AbortController();
    const body = { prompt: "a", max_tokens: 100, ignore_eos: true };
    const first = engine.complete(body);
    await engine.clock.run(engine.clock.sleep(10));
    const leaving = engine.complete(body, left.signal);
    await engine.clock.run(engine.clock.sleep(10));
    await expect(engine.complete(body)).rejects.toMatchObject({ status: 503 });
    left.abort(new Error("left"));
    await expect(leaving).rejects.toThrow("left");
    const next = engine.complete(body);
    await engine.clock.run(Promise.all([first, next]));
    expect(parseExposition(engine.scrape()).value("sglang:num_aborted_requests_total")).toBe(2);
  });

  it("has each data-parallel rank take its turn, or the one that is named", async () => {
    const engine = new VirtualEngine("--dp-size", "2");
    const runs = (body: object) => engine.complete({ prompt: "a", max_tokens: 20, ignore_eos: true, ...body });
    const all = [runs({}), runs({}), runs({ routed_dp_rank: 0 }), runs({ routed_dp_rank: 0 })];
    await engine.clock.run(engine.clock.sleep(10));
    expect(engine.engine.ranks.map(({ published }) => published.running)).toEqual([3, 1]);
    await engine.clock.run(Promise.all(all));
    await expect(runs({ routed_dp_rank: 2 })).rejects.toMatchObject({ status: 400 });
  });

  it("forgets kept prompts when told to, unless it is busy", async () => {
    const engine = new VirtualEngine();
    const body = { prompt: "x".repeat(1024), max_tokens: 5, ignore_eos: true };
    const cached = async () => (await engine.clock.run(engine.complete(body))).outcome.cachedTokens;
    expect(await cached()).toBe(0);
    expect(await cached()).toBe(255);
    const busy = engine.complete(body);
    await engine.clock.run(engine.clock.sleep(10));
    expect(engine.engine.flushCache()).toBe(false);
    await engine.clock.run(busy);
    expect(engine.engine.flushCache()).toBe(true);
    expect(await cached()).toBe(0);
  });

  it("takes requests back when their answers outgrow the cache, and still answers all", async () => {
    const engine = new VirtualEngine("--max-total-tokens", "2000", "--schedule-conservativeness", "0.1");
    const all = Array.from({ length: 8 }, (_, index) =>
      engine.complete({ prompt: `${index}`.repeat(200), max_tokens: 800, ignore_eos: true }),
    );
    const ended = await engine.clock.run(Promise.all(all));
    expect(ended.map(({ outcome }) => outcome.tokens)).toEqual(all.map(() => 800));
    const metrics = parseExposition(engine.scrape());
    expect(metrics.value("sglang:num_retracted_requests_total")).toBeGreaterThan(0);
    expect(metrics.value("sglang:num_used_tokens")).toBe(0);
  });
});
