import type { Clock } from "./clock.ts";

/**
 * The present turn of the event loop, for who begins a few of what waits in each: whatever else has come in is heard in
 * between.
 */
export class Turn {
  /** How many were begun in it. */
  begun = 0;
  readonly #clock: Pick<Clock, "turn">;
  readonly #goOn: () => void;
  #isEnding = false;

  /** @param goOn called in each turn that was asked for, when nothing was begun in it yet */
  constructor(clock: Pick<Clock, "turn">, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Asks for the next turn, once. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    void this.#clock.turn().then(() => {
      this.#isEnding = false;
      this.begun = 0;
      this.#goOn();
    });
  }
}
