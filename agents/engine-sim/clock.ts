import { setTimeout as delay } from "node:timers/promises";

/** Simulated time in milliseconds. */
export interface Clock {
  now(): number;
  /** @throws the signal's reason as soon as it aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after this long. */
  timeout(ms: number): AbortSignal;
}

/** The machine's clock, sped up: ten simulated seconds pass in one at `speed` 10. */
export function realClock(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    sleep: (ms, signal) =>
      delay(ms / speed, undefined, signal ? { signal } : {}).catch((error: unknown) => {
        throw signal?.reason ?? error;
      }),
    timeout: (ms) => AbortSignal.timeout(Math.ceil(ms / speed)),
  };
}
