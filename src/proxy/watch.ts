import { Refusal } from "./errors.ts";
import { IdleTimer } from "./idle.ts";

/** Gives a request up on which nothing moves any more. */
export class Watch {
  readonly #cancel: AbortController;
  readonly #idle: IdleTimer;

  /**
   * @param cancel ends the request, with a Refusal
   * @param now milliseconds of a clock that never goes back
   */
  constructor(cancel: AbortController, idleMsMax: number, now: () => number) {
    this.#cancel = cancel;
    const seconds = Math.round(idleMsMax / 1000);
    this.#idle = new IdleTimer(idleMsMax, now, () =>
      cancel.abort(new Refusal(504, "idle", `nothing came from the replica for ${seconds} s`)),
    );
  }

  /** Aborts when the client is gone or nothing moves; its reason is a Refusal. */
  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Why the request was given up from this side, if it was. */
  get givenUp(): Refusal | null {
    return this.signal.aborted ? this.signal.reason : null;
  }

  /** Something came or went. */
  readonly moved = (): void => this.#idle.touch();

  /** The request is over, or watched by others from here on. Harmless when repeated. */
  readonly stop = (): void => this.#idle.stop();
}
