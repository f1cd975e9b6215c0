import { expect } from "vitest";
import { BUDGETS_MS } from "./budgets.ts";
import type { Finding } from "./drill.ts";
import type { Counts } from "./load.ts";

/** Machines that run tests are slow and noisy: a time is only wrong when it is this many times its budget. */
const NOISE = 5;

/** Every time that has a budget is within it, with room for a noisy machine. */
export function expectTimes({ times }: Finding): void {
  for (const [name, ms] of Object.entries(times)) {
    expect(ms, name).toBeLessThan((BUDGETS_MS[name] ?? Number.POSITIVE_INFINITY) * NOISE);
  }
}

/** Every request was answered whole. How many there were in a short span is chance. */
export function expectWhole(counts: Counts): void {
  expect(counts.example).toBe("");
  expect(counts.whole).toBe(counts.sent);
}

/** The service serves as ever: requests came, and every one was answered whole. */
export function expectServing(counts: Counts): void {
  expectWhole(counts);
  expect(counts.sent).toBeGreaterThan(0);
}

/** None failed or hung; streams may have been cut. */
export function expectNoneFailed(counts: Counts): void {
  expect(counts, counts.example).toMatchObject({ failed: 0, hung: 0 });
}
