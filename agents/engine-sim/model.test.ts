import { describe, expect, it } from "vitest";
import { decodeStepMs, loadMs, type Profile, prefillStepMs, spread } from "./model.ts";
import { PROFILES } from "./profiles.ts";

function profile(name: string): Profile {
  return PROFILES.find((one) => one.name === name) ?? expect.fail(`no profile ${name}`);
}

/** Prompt tokens a second in full steps, and ms between tokens for a batch at 2,000 tokens of context each. */
const published: [string, number, [number, number, number]][] = [
  ["llama-70b-fp8", 28_000, [11.9, 13.6, 22]],
  ["llama-70b-bf16", 14_000, [17.8, 21, 38]],
  ["llama-8b-bf16", 30_800, [11.4, 17, 37]],
];

describe.each(published)("%s", (name, tokensPerS, intervals) => {
  it("computes prompts at the speed of the published tables, within 15 %", () => {
    const ms = prefillStepMs(profile(name), 8192, 0);
    expect((8192 / ms) * 1000).toBeGreaterThan(tokensPerS * 0.85);
    expect((8192 / ms) * 1000).toBeLessThan(tokensPerS * 1.15);
  });

  it("decodes at the speed of the published tables, within 15 %", () => {
    for (const [index, batch] of [1, 64, 256].entries()) {
      const expected = intervals[index] as number;
      const ms = decodeStepMs(profile(name), batch, batch * 2000);
      expect(Math.abs(ms / expected - 1)).toBeLessThan(0.15);
    }
  });
});

describe("tiny", () => {
  const tiny = profile("tiny");

  it("takes about 2 ms a token, and computes 200,000 tokens of prompt a second", () => {
    expect(decodeStepMs(tiny, 1, 100)).toBeCloseTo(2, 1);
    expect(decodeStepMs(tiny, 64, 10_000)).toBeLessThan(2.5);
    const twice = prefillStepMs(tiny, 2000, 0) - prefillStepMs(tiny, 1000, 0);
    expect(twice).toBeCloseTo(1000 / 200, 5);
  });

  it("is there at once", () => {
    expect(loadMs(tiny)).toBe(0);
  });
});

it("loads weights from disk before anything else", () => {
  expect(loadMs(profile("llama-70b-fp8"))).toBeCloseTo(12_000 + 35_300);
});

describe("acceptance (c): the length of a prompt", () => {
  it("doubles the time of its prefill when it doubles, within 10 %, far above a thousand tokens", () => {
    for (const name of ["llama-70b-fp8", "llama-70b-bf16", "llama-8b-bf16"]) {
      const ms = (tokens: number) => prefillStepMs(profile(name), tokens, tokens / 2);
      for (const tokens of [2048, 4096]) expect(Math.abs(ms(2 * tokens) / ms(tokens) / 2 - 1)).toBeLessThan(0.1);
    }
  });
});

it("computes prompts of DeepSeek-V3 at 52,300 tokens/s, and decodes at 22,300 tokens/s with 100 ms between tokens", () => {
  const node = profile("deepseek-v3-ep");
  expect(Math.abs((8192 / prefillStepMs(node, 8192, 4096)) * 1000 - 52_300)).toBeLessThan(52_300 * 0.05);
  const batch = 2_230;
  expect(Math.abs(decodeStepMs(node, batch, batch * 2000) - 100)).toBeLessThan(10);
});

describe("on other accelerators", () => {
  const large = profile("llama-70b-bf16");

  it("an engine is faster with more of them, less what their talking costs", () => {
    const eight = spread(large, 8, 1)!;
    expect(eight.flops / large.flops).toBeCloseTo(2 * 0.9);
    expect(eight.memoryBandwidth / large.memoryBandwidth).toBeCloseTo(2);
    expect(eight.kvTokens).toBeGreaterThan(2 * large.kvTokens);
    expect(spread(large, 8, 2)!.flops / large.flops).toBeCloseTo(2 * 0.9 * 0.6);
    expect(spread(large, 4, 1)).toEqual(large);
  });

  it("the weights may not fit", () => {
    expect(spread(large, 1, 1)).toBeNull();
  });
});

it("takes noise on a step, but never goes below its floor", () => {
  const tiny = profile("tiny");
  expect(decodeStepMs(tiny, 1, 0, 0.5)).toBe(2);
  expect(prefillStepMs(tiny, 2000, 0, 1.1)).toBeCloseTo(prefillStepMs(tiny, 2000, 0) * 1.1);
});
