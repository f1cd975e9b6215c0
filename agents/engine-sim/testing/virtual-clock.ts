import { setImmediate as othersRan } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/**
 * Time that stands still while anything can run and then jumps to the next sleeper. An hour of an engine passes as fast
 * as its arithmetic, and always in the same order.
 */
export class VirtualClock implements Clock {
  private at = 0;
  private sleepers: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.at;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.at + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    const wake = () => controller.abort(new DOMException("timed out", "TimeoutError"));
    this.sleepers.push({ at: this.at + ms, wake });
    return controller.signal;
  }

  /**
   * Lets time pass until the promise settles.
   * @throws its error; an Error when nothing sleeps any more and it still has not settled
   */
  async run<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await othersRan();
      if (settled) return promise;
      const next = this.sleepers.reduce<(typeof this.sleepers)[number] | null>(
        (first, one) => (first === null || one.at < first.at ? one : first),
        null,
      );
      if (!next) throw new Error(`nothing sleeps at ${this.at} ms, and what is awaited has not come`);
      this.sleepers = this.sleepers.filter((one) => one !== next);
      this.at = next.at;
      next.wake();
    }
  }
}
