import type { Action, Asking, Instant } from "./types.ts";

/** One decision being made: what it has led to so far. */
export class Turn {
  readonly now: Instant;
  readonly actions: Action[] = [];
  wakeAt: Instant;

  constructor(now: Instant, wakeAt: Instant) {
    this.now = now;
    this.wakeAt = wakeAt;
  }

  act(action: Action): void {
    this.actions.push(action);
  }

  /** Whether `at` has come; if not, the next decision is made then at the latest. */
  due(at: Instant): boolean {
    if (at <= this.now) return true;
    this.wakeAt = Math.min(this.wakeAt, at);
    return false;
  }

  /** Asks again when it is time and no answer is awaited. The answer's handler sets `nextAt`. */
  ask(asking: Asking, action: Action): void {
    if (asking.waiting || !this.due(asking.nextAt)) return;
    asking.waiting = true;
    this.act(action);
  }
}
