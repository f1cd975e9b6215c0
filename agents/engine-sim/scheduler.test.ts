import { describe, expect, it } from "vitest";
import { TOKEN_CHARACTERS } from "./model.ts";
import { prefixBlocks } from "./prefix-cache.ts";
import { PROFILES } from "./profiles.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const [tiny] = PROFILES;

function setUp(changes: Partial<SchedulerOptions> = {}) {
  const clock = new VirtualClock();
  const steps: string[] = [];
  const scheduler = new Scheduler({
    profile: tiny!,
    maxRunning: 8,
    maxTotalTokens: 1000,
    chunkedPrefillSize: 8192,
    maxPrefillTokens: 400,
    conservativeness: 1,
    reservedDecodeTokens: 0,
    byPriority: false,
    prefixCache: false,
    keepsCopies: false,
    clock,
    noise: () => 1,
    onStep: ({ kind, sequences, tokens }) => steps.push(`${kind} ${sequences} ${tokens}`),
    onIdle: () => steps.push("idle"),
    ...changes,
  });
  return { clock, steps, scheduler };
}

interface Told extends Sequence {
  done: Promise<void>;
  /** When its tokens came. */
  times: number[];
  /** Tokens of its prompt that were cached, for each time it was computed. */
  starts: number[];
}

/** A sequence that notes what it is told. */
function sequence(clock: VirtualClock, promptTokens: number, outputTokens: number, more: Partial<Sequence> = {}): Told {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const times: number[] = [];
  const starts: number[] = [];
  return {
    promptTokens,
    outputTokens,
    maxTokens: outputTokens,
    priority: 0,
    blocks: [],
    keepsCache: false,
    done,
    times,
    starts,
    get produced() {
      return times.length;
    },
    onStart: (cached) => starts.push(cached),
    onToken() {
      times.push(clock.now());
      if (times.length === outputTokens) resolve();
    },
    ...more,
  };
}

const never = new AbortController().signal;

describe("steps", () => {
  it("compute the prompt, then give a token each", async () => {
    const { clock, scheduler } = setUp();
    const one = sequence(clock, 200, 4);
    scheduler.submit(one);
    await clock.run(one.done);
    expect(one.times[0]).toBeCloseTo(2 + 1 * (1 + 100 / 60_000), 3);
    for (const index of [1, 2, 3]) expect(one.times[index]! - one.times[index - 1]!).toBeCloseTo(2, 1);
    expect(scheduler).toMatchObject({ runningCount: 0, waitingCount: 0, kv: { used: 0 } });
  });

  it("pack prompts up to their limit, and let decoding wait for them", async () => {
    const { clock, steps, scheduler } = setUp();
    const first = sequence(clock, 100, 3);
    scheduler.submit(first);
    const others = [150, 150, 150].map((tokens) => sequence(clock, tokens, 1));
    for (const other of others) scheduler.submit(other);
    await clock.run(Promise.all([first, ...others].map(({ done }) => done)));
    expect(steps.slice(0, 3)).toEqual(["prefill 1 100", "prefill 2 300", "prefill 1 150"]);
    expect(first.times[1]).toBeGreaterThan(others[2]!.times[0]!);
  });

  it("cut a prompt that is too long for one, fill up with the next, and go on where they left off", async () => {
    const { clock, steps, scheduler } = setUp({ chunkedPrefillSize: 100 });
    const [long, short] = [sequence(clock, 250, 1), sequence(clock, 30, 1)];
    scheduler.submit(long);
    scheduler.submit(short);
    await clock.run(Promise.all([long.done, short.done]));
    expect(steps).toEqual(["prefill 1 100", "prefill 1 100", "prefill 2 80", "idle"]);
    expect(long.starts).toEqual([0]);
  });

  it("go on without those that were taken out", async () => {
    const { clock, scheduler } = setUp();
    const [leaving, staying] = [sequence(clock, 10, 100), sequence(clock, 10, 100)];
    scheduler.submit(leaving);
    scheduler.submit(staying);
    await clock.run(clock.sleep(50));
    scheduler.remove(leaving);
    const seen = leaving.times.length;
    await clock.run(staying.done);
    expect(leaving.times.length).toBe(seen);
    expect(scheduler).toMatchObject({ runningCount: 0, waitingCount: 0, kv: { used: 0 } });
  });

  it("leave off a long prompt whose client has left", async () => {
    const { clock, steps, scheduler } = setUp({ chunkedPrefillSize: 100 });
    const long = sequence(clock, 900, 1);
    scheduler.submit(long);
    await clock.run(clock.sleep(1));
    scheduler.remove(long);
    const next = sequence(clock, 50, 1);
    scheduler.submit(next);
    await clock.run(next.done);
    expect(steps.slice(0, 2)).toEqual(["prefill 1 100", "prefill 1 50"]);
  });

  it("end for good when the engine hangs, in mid-step too", async () => {
    const { clock, scheduler } = setUp();
    const one = sequence(clock, 10, 100);
    scheduler.submit(one);
    await clock.run(clock.sleep(21));
    scheduler.stall();
    const seen = one.times.length;
    await clock.run(clock.sleep(1000));
    scheduler.submit(sequence(clock, 10, 1));
    await clock.run(clock.sleep(1000));
    expect(one.times.length).toBe(seen);
  });
});

describe("admission", () => {
  it("lets in no more than run at once, first come first served", async () => {
    const { clock, scheduler } = setUp({ maxRunning: 2 });
    const all = [100, 100, 10].map((tokens) => sequence(clock, tokens, 50));
    for (const one of all) scheduler.submit(one);
    await clock.run(clock.sleep(20));
    expect(scheduler).toMatchObject({ runningCount: 2, waitingCount: 1 });
    scheduler.remove(all[0]!);
    await clock.run(all[2]!.done);
    expect(all[0]!.times.length).toBeLessThan(50);
  });

  it("reckons with a share of what may come, smaller as long as all goes well", async () => {
    const { clock, scheduler } = setUp({ maxTotalTokens: 1000 });
    const running = sequence(clock, 100, 900);
    scheduler.submit(running);
    await clock.run(clock.sleep(5));
    // 100 in use, 0.7 x 899 expected: some 270 are left.
    const next = sequence(clock, 300, 1);
    scheduler.submit(next);
    await clock.run(clock.sleep(20));
    expect(scheduler.waitingCount).toBe(1);
    await clock.run(next.done);
    expect(running.times.length).toBeGreaterThan(40);
    expect(running.times.length).toBeLessThan(100);
    scheduler.remove(running);
  });

  it("goes by priority where that is on", async () => {
    for (const byPriority of [true, false]) {
      const { clock, scheduler } = setUp({ byPriority, maxRunning: 1 });
      const order: string[] = [];
      const first = sequence(clock, 10, 5);
      const add = (name: string, priority: number) => {
        const one = sequence(clock, 10, 1, { priority });
        scheduler.submit(one);
        return one.done.then(() => order.push(name));
      };
      scheduler.submit(first);
      await clock.run(Promise.all([add("low", 0), add("high", 5), add("low too", 0), add("higher", 9)]));
      expect(order).toEqual(byPriority ? ["higher", "high", "low", "low too"] : ["low", "high", "low too", "higher"]);
    }
  });
});

describe("retraction", () => {
  it("takes the shortest answer back when the cache is full, and computes it again later", async () => {
    const { clock, scheduler } = setUp({ maxTotalTokens: 200, conservativeness: 0 });
    const [old, young] = [sequence(clock, 50, 100), sequence(clock, 50, 100)];
    scheduler.submit(old);
    await clock.run(clock.sleep(20));
    scheduler.submit(young);
    await clock.run(Promise.all([old.done, young.done]));
    expect(scheduler.retractionsTotal).toBe(1);
    expect(old.starts).toHaveLength(1);
    expect(young.starts).toHaveLength(2);
    expect(old.times).toHaveLength(100);
    expect(young.times).toHaveLength(100);
    expect(scheduler.kv.used).toBe(0);
  });

  it("has a decode give the cache back from a copy, before it promises any to others", async () => {
    const { clock, steps, scheduler } = setUp({ maxTotalTokens: 200, keepsCopies: true });
    const both = [sequence(clock, 50, 100), sequence(clock, 50, 100)];
    for (const one of both) {
      await scheduler.reserve(one, never);
      one.onToken();
      scheduler.join(one);
    }
    await clock.run(clock.sleep(120));
    expect(scheduler).toMatchObject({ retractedCount: 1, retractionsTotal: 1 });
    const next = sequence(clock, 10, 1);
    const order: string[] = [];
    const reserved = scheduler.reserve(next, never).then(() => order.push("next"));
    await clock.run(Promise.all([...both.map((one) => one.done.then(() => order.push("running"))), reserved]));
    expect(order).toEqual(["running", "next", "running"]);
    expect(both.flatMap(({ starts }) => starts)).toEqual([]);
    expect(steps.some((step) => step.startsWith("prefill"))).toBe(false);
    scheduler.remove(next);
    expect(scheduler.kv.used).toBe(0);
  });
});

it("a decode that has room for all but the next token of a request leaves it in its copy", async () => {
  const { clock, scheduler } = setUp({ maxTotalTokens: 200, keepsCopies: true });
  const [large, small, runs] = [sequence(clock, 99, 1), sequence(clock, 1, 1), sequence(clock, 50, 100)];
  for (const one of [large, small, runs]) await scheduler.reserve(one, never);
  runs.onToken();
  scheduler.join(runs);
  await clock.run(clock.sleep(150));
  expect(scheduler.retractedCount).toBe(1);
  // It had 50 tokens and 51 more: 101 are free now, and the next makes 102.
  scheduler.remove(small);
  await clock.run(clock.sleep(10));
  expect(scheduler.retractedCount).toBe(1);
  scheduler.remove(large);
  await clock.run(runs.done);
  expect(runs.times).toHaveLength(100);
});

describe("the prefix cache", () => {
  const prompt = (beginning: string) => beginning.repeat(128 * TOKEN_CHARACTERS);
  const begun = (clock: VirtualClock, beginning: string, tokens = 200) =>
    sequence(clock, tokens, 1, { blocks: prefixBlocks(prompt(beginning)) });

  it("spares what another request has had computed", async () => {
    const { clock, steps, scheduler } = setUp({ prefixCache: true });
    for (const [beginning, cached] of [
      ["a", 0],
      ["a", 128],
      ["b", 0],
    ] as const) {
      const one = begun(clock, beginning);
      scheduler.submit(one);
      await clock.run(one.done);
      expect(one.starts).toEqual([cached]);
    }
    expect(steps.filter((step) => step !== "idle")).toEqual(["prefill 1 200", "prefill 1 72", "prefill 1 200"]);
    expect(scheduler.cache.tokens).toBe(256);
  });

  it("always leaves a token to compute", async () => {
    const { clock, steps, scheduler } = setUp({ prefixCache: true });
    for (const _ of [1, 2]) {
      const one = begun(clock, "a", 128);
      scheduler.submit(one);
      await clock.run(one.done);
    }
    expect(steps.filter((step) => step !== "idle")).toEqual(["prefill 1 128", "prefill 1 1"]);
  });

  it("gives way to what runs, the longest unused first", async () => {
    const { clock, scheduler } = setUp({ prefixCache: true, maxTotalTokens: 500 });
    for (const beginning of ["a", "b"]) {
      const one = begun(clock, beginning);
      scheduler.submit(one);
      await clock.run(one.done);
    }
    const large = sequence(clock, 300, 20);
    scheduler.submit(large);
    await clock.run(large.done);
    expect(scheduler.cache.tokens).toBeLessThanOrEqual(200);
    expect(scheduler.cache.evictedTokens).toBeGreaterThan(0);
    expect(scheduler.cache.match(prefixBlocks(prompt("b")))).toBe(128);
  });
});

describe("a decode's promises of cache", () => {
  it("are made in the order of asking, and skip one who left", async () => {
    const { clock, scheduler } = setUp();
    const holder = sequence(clock, 900, 100);
    await scheduler.reserve(holder, never);
    const order: string[] = [];
    const left = new AbortController();
    const wait = (name: string, tokens: number, signal: AbortSignal) =>
      scheduler.reserve(sequence(clock, tokens, 1), signal).then(() => order.push(name));
    const given = wait("left", 500, left.signal);
    const waits = [wait("large", 800, never), wait("small", 9, never)];
    left.abort(new Error("left"));
    await expect(given).rejects.toThrow("left");
    expect(order).toEqual([]);
    scheduler.remove(holder);
    await Promise.all(waits);
    expect(order).toEqual(["large", "small"]);
    expect(scheduler.kv.used).toBe(809);
  });

  it("go to the next in line when one before it leaves", async () => {
    const { clock, scheduler } = setUp();
    const holder = sequence(clock, 900, 1);
    await scheduler.reserve(holder, never);
    const left = new AbortController();
    const large = scheduler.reserve(sequence(clock, 500, 1), left.signal);
    const small = scheduler.reserve(sequence(clock, 50, 1), never);
    left.abort(new Error("left"));
    await expect(large).rejects.toThrow("left");
    await clock.run(small);
    expect(scheduler.kv.used).toBe(950);
  });

  it("leave room for the answers of those who are there", async () => {
    const { clock, scheduler } = setUp({ maxTotalTokens: 2000, reservedDecodeTokens: 512 });
    const [first, second] = [sequence(clock, 900, 10), sequence(clock, 600, 10)];
    await scheduler.reserve(first, never);
    const order: string[] = [];
    const waiting = scheduler.reserve(second, never).then(() => order.push("second"));
    await clock.run(clock.sleep(10));
    expect(order).toEqual([]);
    scheduler.remove(first);
    await waiting;
    expect(order).toEqual(["second"]);
  });

  it("are no more than may run at once", async () => {
    const { clock, scheduler } = setUp({ maxRunning: 1 });
    const first = sequence(clock, 1, 1);
    await scheduler.reserve(first, never);
    let second = false;
    const waiting = scheduler.reserve(sequence(clock, 1, 1), never).then(() => {
      second = true;
    });
    await clock.run(clock.sleep(10));
    expect(second).toBe(false);
    scheduler.remove(first);
    await waiting;
  });
});
