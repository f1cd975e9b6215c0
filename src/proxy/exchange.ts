import { Refusal } from "./errors.ts";
import { requestIdOf } from "./headers.ts";
import { IdleTimer } from "./idle.ts";
import type { ProxyRequest } from "./types.ts";

/** One request, from its arrival to the last byte of its answer. */
export class Exchange {
  readonly request: ProxyRequest;
  readonly id: string;
  readonly #idle: IdleTimer;
  readonly #held: (() => void)[] = [];

  constructor(request: ProxyRequest, idleMsMax: number, now: () => number) {
    this.request = request;
    this.id = requestIdOf(request.headers);
    const seconds = Math.round(idleMsMax / 1000);
    this.#idle = new IdleTimer(idleMsMax, now, () =>
      request.cancel.abort(new Refusal(504, "idle", `nothing came from the replica for ${seconds} s`)),
    );
  }

  /** Aborts when the client is gone or nothing moves; its reason is a Refusal. */
  get signal(): AbortSignal {
    return this.request.cancel.signal;
  }

  /** Why the request was given up from this side, if it was. */
  get givenUp(): Refusal | null {
    return this.signal.aborted ? this.signal.reason : null;
  }

  /** Something came or went. */
  readonly moved = (): void => this.#idle.touch();

  /** @param release gives back what is held until the exchange is over */
  hold(release: () => void): void {
    this.#held.push(release);
  }

  /** Gives back what the exchange holds. Harmless when repeated. */
  readonly end = (): void => {
    this.#idle.stop();
    for (const release of this.#held.splice(0)) release();
  };
}
