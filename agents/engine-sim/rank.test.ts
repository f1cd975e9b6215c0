import { describe, expect, it } from "vitest";
import { Rank } from "./rank.ts";
import { readRequest } from "./request.ts";
import { RequestSequence } from "./request-sequence.ts";
import { readSettings } from "./settings.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

function setUp(...flags: string[]) {
  const { settings } = readSettings(["--model-path", "m", ...flags]);
  const clock = new VirtualClock();
  const rank = new Rank(0, settings, clock, () => {});
  const sequence = (tokens: number) => {
    const request = readRequest("completion", { prompt: "hello", max_tokens: tokens, ignore_eos: true }, "r", settings);
    return new RequestSequence(request.strands[0], "whole", () => {});
  };
  return { clock, rank, sequence };
}

describe("what a rank publishes", () => {
  it("never says idle while a request goes from one queue to the next, and says so when it is", async () => {
    const { clock, rank, sequence } = setUp("--disaggregation-mode", "decode");
    const one = sequence(50);
    const idle = () => rank.published.running + rank.published.decodeTransfer === 0;
    expect(idle()).toBe(true);
    await rank.scheduler.reserve(one, new AbortController().signal);
    const arrived = rank.queued("decodeTransfer", clock.sleep(10));
    expect(idle()).toBe(false);
    await clock.run(arrived);
    one.onToken();
    rank.join(one);
    expect(idle()).toBe(false);
    await clock.run(clock.sleep(1));
    expect(idle()).toBe(false);
    await clock.run(one.done);
    await clock.run(clock.sleep(1));
    expect(idle()).toBe(true);
  });

  it("is some steps old while it decodes, and what it logs is older", async () => {
    const { clock, rank, sequence } = setUp();
    rank.scheduler.submit(sequence(200));
    await clock.run(clock.sleep(2 + 20 * 2.2));
    const { published, logged } = rank;
    expect(published.totals.decodeSteps).toBe(15);
    expect(logged.totals.decodeSteps).toBe(0);
    expect(logged.totals.prefillSteps).toBe(1);
    await clock.run(clock.sleep(100));
    expect(rank.published.totals.decodeSteps % 15).toBe(0);
    expect(rank.logged.totals.decodeSteps).toBe(40);
    expect(rank.logged.generationRate).toBeGreaterThan(300);
  });
});
