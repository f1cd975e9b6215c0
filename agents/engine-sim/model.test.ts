import { describe, expect, it } from "vitest";
import { decodeStepMs, loadMs, PROFILES, type Profile, prefillStepMs, transferMs } from "./model.ts";

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

it("shares the network among transfers", () => {
  const large = profile("llama-70b-bf16");
  expect(transferMs(large, 4096, 1)).toBeCloseTo(3 + 33.6, 0);
  expect(transferMs(large, 4096, 2) - 3).toBeCloseTo(2 * (transferMs(large, 4096, 1) - 3), 5);
});
