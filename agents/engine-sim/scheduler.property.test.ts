import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROFILES } from "./profiles.ts";
import { Scheduler } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";
import { untilAborted } from "./until-aborted.ts";

/** Whatever comes and goes: the cache is never overdrawn, nobody is forgotten, and nothing is left at the end. */

const CAPACITY = 400;

interface Arrival {
  afterMs: number;
  prompt: number;
  output: number;
  /** Allowed beyond what it will produce. */
  spare: number;
  priority: number;
  /** When its client leaves, if it does. */
  leavesAfterMs: number | null;
  beginning: number;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  afterMs: fc.integer({ min: 0, max: 30 }),
  prompt: fc.integer({ min: 1, max: 150 }),
  output: fc.integer({ min: 1, max: 150 }),
  spare: fc.integer({ min: 0, max: 100 }),
  priority: fc.integer({ min: 0, max: 2 }),
  leavesAfterMs: fc.option(fc.integer({ min: 0, max: 200 })),
  beginning: fc.integer({ min: 0, max: 2 }),
});

const options = fc.record({
  conservativeness: fc.constantFrom(0, 0.1, 1, 2),
  maxRunning: fc.integer({ min: 1, max: 6 }),
  chunkedPrefillSize: fc.constantFrom(16, 64, 8192, null),
  byPriority: fc.boolean(),
  prefixCache: fc.boolean(),
  reservedDecodeTokens: fc.constantFrom(0, 20, 512),
});

interface Told extends Sequence {
  finished: Promise<void>;
  tokens: number;
}

function told({ prompt, output, spare, priority, beginning }: Arrival): Told {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    promptTokens: prompt,
    outputTokens: output,
    maxTokens: output + spare,
    priority,
    blocks: Array.from({ length: Math.floor(prompt / 64) }, (_, index) => `${beginning}/${index}`),
    keepsCache: false,
    finished: promise,
    tokens: 0,
    get produced() {
      return this.tokens;
    },
    onStart() {},
    onToken() {
      this.tokens += 1;
      if (this.tokens > output) throw new Error("more tokens than were wanted");
      if (this.tokens === output) resolve();
    },
  };
}

describe.each(["unified", "decode"])("the scheduler of a %s engine", (role) => {
  it("serves all that stay, whatever it has to take back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 25 }), options, async (arrivals, chosen) => {
        const clock = new VirtualClock();
        const scheduler = new Scheduler({
          ...chosen,
          profile: PROFILES[0]!,
          maxTotalTokens: CAPACITY,
          maxPrefillTokens: 200,
          keepsCopies: role === "decode",
          clock,
          noise: () => 1,
          onStep: () => {
            const { kv, cache, runningCount } = scheduler;
            expect(kv.used).toBeLessThanOrEqual(CAPACITY);
            expect(kv.used + cache.tokens).toBeLessThanOrEqual(CAPACITY);
            expect(runningCount).toBeLessThanOrEqual(chosen.maxRunning);
          },
          onIdle: () => {},
        });
        const served = arrivals.map(async (one, index) => {
          await clock.sleep(arrivals.slice(0, index + 1).reduce((sum, { afterMs }) => sum + afterMs, 0));
          const sequence = told(one);
          const left = new AbortController();
          if (one.leavesAfterMs !== null) void clock.sleep(one.leavesAfterMs).then(() => left.abort(new Error("left")));
          try {
            if (role === "decode") {
              await scheduler.reserve(sequence, left.signal);
              sequence.onToken();
              if (sequence.produced < sequence.outputTokens) scheduler.join(sequence);
            } else scheduler.submit(sequence);
            await untilAborted(sequence.finished, left.signal);
          } catch (error) {
            if (!left.signal.aborted) throw error;
          } finally {
            scheduler.remove(sequence);
          }
          return left.signal.aborted ? null : sequence.tokens;
        });
        const tokens = await clock.run(Promise.all(served));
        for (const [index, count] of tokens.entries()) if (count !== null) expect(count).toBe(arrivals[index]!.output);
        expect(scheduler).toMatchObject({ runningCount: 0, waitingCount: 0, retractedCount: 0 });
        expect(scheduler.kv.used).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
