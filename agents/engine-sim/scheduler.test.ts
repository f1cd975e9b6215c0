import { describe, expect, it } from "vitest";
import { PROFILES, type Profile } from "./model.ts";
import { Scheduler, type SchedulerOptions, type Sequence } from "./scheduler.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const tiny = PROFILES[0] as Profile;

function setUp(changes: Partial<SchedulerOptions> = {}) {
  const clock = new VirtualClock();
  const steps: string[] = [];
  const scheduler = new Scheduler({
    profile: tiny,
    maxRunning: 8,
    maxTotalTokens: 1000,
    chunkedPrefillSize: 8192,
    maxPrefillTokens: 400,
    clock,
    noise: () => 1,
    onStep: ({ kind, sequences, tokens }) => steps.push(`${kind} ${sequences} ${tokens}`),
    ...changes,
  });
  return { clock, steps, scheduler };
}

/** A sequence that notes when its tokens come. */
function sequence(clock: VirtualClock, promptTokens: number, outputTokens: number) {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const times: number[] = [];
  const own: Sequence & { done: Promise<void>; times: number[] } = {
    promptTokens,
    outputTokens,
    done,
    times,
    get produced() {
      return times.length;
    },
    onToken() {
      times.push(clock.now());
      if (times.length === outputTokens) resolve();
    },
  };
  return own;
}

describe("the scheduler", () => {
  it("computes the prompt, then a token each step", async () => {
    const { clock, scheduler } = setUp();
    const one = sequence(clock, 200, 4);
    scheduler.submit(one);
    await clock.run(one.done);
    expect(one.times[0]).toBeCloseTo(2 + 1 * (1 + 100 / 60_000), 3);
    for (const index of [1, 2, 3]) expect(one.times[index]! - one.times[index - 1]!).toBeCloseTo(2, 1);
  });

  it("packs prompts into one step up to its limit, and lets decoding wait for them", async () => {
    const { clock, steps, scheduler } = setUp();
    const first = sequence(clock, 100, 3);
    scheduler.submit(first);
    const others = [150, 150, 150].map((tokens) => sequence(clock, tokens, 1));
    for (const other of others) scheduler.submit(other);
    await clock.run(Promise.all([first, ...others].map(({ done }) => done)));
    expect(steps).toEqual(["prefill 1 100", "prefill 2 300", "prefill 1 150"]);
    expect(first.times[1]).toBeGreaterThan(others[2]!.times[0]!);
  });

  it("admits no more than fit the cache or the batch, first come first served", async () => {
    const { clock, scheduler } = setUp({ maxRunning: 2 });
    const all = [400, 400, 10].map((tokens) => sequence(clock, tokens, 50));
    for (const one of all) scheduler.submit(one);
    await clock.run(clock.sleep(20));
    expect(scheduler.runningCount).toBe(2);
    expect(scheduler.waitingCount).toBe(1);
    expect(scheduler.kv.used).toBe(900);
    scheduler.remove(all[0]!);
    await clock.run(all[2]!.done);
    scheduler.remove(all[2]!);
    await clock.run(all[1]!.done);
    expect(all[0]!.times.length).toBeLessThan(50);
  });

  it("goes on without those that were taken out", async () => {
    const { clock, scheduler } = setUp();
    const [leaving, staying] = [sequence(clock, 10, 100), sequence(clock, 10, 100)];
    scheduler.submit(leaving);
    scheduler.submit(staying);
    await clock.run(clock.sleep(50));
    scheduler.remove(leaving);
    const seen = leaving.times.length;
    await clock.run(staying.done);
    expect(leaving.times.length).toBe(seen);
    scheduler.remove(staying);
    expect(scheduler).toMatchObject({ runningCount: 0, waitingCount: 0, kv: { used: 0 } });
  });

  it("lets those who reserve wait for room in their order, and skips one who left", async () => {
    const { clock, scheduler } = setUp();
    const holder = sequence(clock, 900, 100);
    await scheduler.reserve(holder, new AbortController().signal);
    const order: string[] = [];
    const left = new AbortController();
    const wait = (name: string, tokens: number, signal: AbortSignal) =>
      scheduler.reserve(sequence(clock, tokens, 1), signal).then(() => order.push(name));
    const given = wait("left", 500, left.signal);
    const waits = [wait("large", 800, new AbortController().signal), wait("small", 9, new AbortController().signal)];
    left.abort(new Error("left"));
    await expect(given).rejects.toThrow("left");
    expect(order).toEqual([]);
    scheduler.remove(holder);
    await Promise.all(waits);
    expect(order).toEqual(["large", "small"]);
    expect(scheduler.kv.used).toBe(811);
  });
});
