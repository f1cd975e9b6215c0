/** Time as the controller sees it; tests give it a virtual one. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls `action` once at or soon after `moment`. @returns cancels it */
  at(moment: number, action: () => void): () => void;
}

/** Timers cannot wait longer than this many milliseconds; a later moment is approached in steps. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's clock and timers; the same on Node and Workers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  at(moment, action) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const ms = moment - Date.now();
      timer = setTimeout(ms > TIMER_MAX_MS ? wait : action, Math.min(Math.max(ms, 0), TIMER_MAX_MS));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
