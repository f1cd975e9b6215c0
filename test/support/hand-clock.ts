import type { Clock } from "../../src/control/clock.ts";

/** A clock that stands until a test moves it; only `sleep`, for retries, takes real time. */
export class HandClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ moment: number; action: () => void }>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  turn(): Promise<void> {
    return Promise.resolve();
  }

  at(moment: number, action: () => void): () => void {
    const timer = { moment, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass; what is due on the way happens at its moment. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ moment }) => moment <= until).sort((a, b) => a.moment - b.moment);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.moment);
      next.action();
    }
    this.#now = until;
  }
}
