/** Time as the controller sees it; tests give it a virtual one. */
export interface Clock {
  /** Milliseconds since 1970; never less than before. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls `action` once at or soon after `moment`. @returns cancels it */
  at(moment: number, action: () => void): () => void;
  /** Resolves once what had come in by now was heard: it waits for what is there, and for nothing else. */
  turn(): Promise<void>;
}

/** Timers cannot wait longer than this many milliseconds; a later moment is approached in steps. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * By which share of the real time the clock goes faster or slower while it catches up with a calendar that was set: no
 * span that a decision counts is ever off by more.
 */
const CATCH_UP_SHARE = 0.5;

/**
 * The calendar's time, without its jumps. A calendar that is set (by an operator, by the first time server that a
 * machine without a battery hears, after a machine slept) would end every wait at once or make it an hour longer; this
 * clock comes up with it little by little instead.
 *
 * @param calendar milliseconds since 1970, as the machine has it
 * @param steady milliseconds since some moment, of a clock that nobody sets
 */
export function steadyTime(calendar: () => number, steady: () => number): () => number {
  let time = calendar();
  let readAt = steady();
  return () => {
    const passed = Math.max(0, steady() - readAt);
    const most = passed * CATCH_UP_SHARE;
    const behind = calendar() - (time + passed);
    readAt += passed;
    time += passed + Math.min(most, Math.max(-most, behind));
    return Math.floor(time);
  };
}

const now = steadyTime(
  () => Date.now(),
  () => performance.now(),
);

/** The machine's clock and timers, on Node. */
export const systemClock: Clock = {
  now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  at(moment, action) {
    const wait = () => setTimeout(look, Math.min(Math.max(moment - now(), 0), TIMER_MAX_MS));
    let cancelled = false;
    const act = () => {
      if (!cancelled) action();
    };
    const look = () => {
      // Timers go by real time and may be early by this clock. After a long turn they come before what was sent in time
      // is read, which might call them off.
      if (now() >= moment) setImmediate(act);
      else timer = wait();
    };
    let timer = wait();
    return () => {
      cancelled = true;
      clearTimeout(timer);
    };
  },
  // Sockets are read between the timers and this.
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};
