import type { Clock } from "../control/clock.ts";
import type { DurableStorage } from "./platform.ts";

/**
 * A clock whose waits outlive the object that waits: the earliest is the object's alarm. What a wait was for is lost
 * when the object is put away; the alarm brings it back, and whoever waited finds out anew what is due.
 */
export class AlarmClock implements Clock {
  readonly #storage: Pick<DurableStorage, "setAlarm">;
  readonly #calendar: () => number;
  readonly #waits = new Set<{ moment: number; action: () => void }>();
  /** When the alarm rings, as far as this life of the object has set it. One that rings for nothing does no harm. */
  #armedFor = Number.POSITIVE_INFINITY;
  #last = 0;

  constructor(storage: Pick<DurableStorage, "setAlarm">, calendar: () => number = Date.now) {
    this.#storage = storage;
    this.#calendar = calendar;
  }

  now(): number {
    this.#last = Math.max(this.#last, this.#calendar());
    return this.#last;
  }

  /** For moments only: it keeps the object where it is. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  at(moment: number, action: () => void): () => void {
    const wait = { moment, action };
    this.#waits.add(wait);
    this.#arm();
    return () => void this.#waits.delete(wait);
  }

  /** The database is elsewhere: what comes in is heard while it is awaited. */
  turn(): Promise<void> {
    return Promise.resolve();
  }

  /** The alarm has rung: does what is due and sets it for what is next. */
  rang(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.now();
    for (const wait of [...this.#waits]) {
      if (wait.moment > now || !this.#waits.delete(wait)) continue;
      wait.action();
    }
    this.#arm();
  }

  #arm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { moment } of this.#waits) next = Math.min(next, moment);
    if (next >= this.#armedFor) return;
    this.#armedFor = next;
    void this.#storage.setAlarm(Math.max(next, this.now() + 1));
  }
}
