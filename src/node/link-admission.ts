import type { Clock } from "../control/clock.ts";
import { Turn } from "../control/turn.ts";
import {
  LINK_WAIT_MS_MAX,
  LINKS_BEGUN_IN_A_TURN,
  LINKS_OPENING_MAX,
  LINKS_RETURNING_PER_S,
  LINKS_WAITING_MAX,
  RETRY_LINK_S_MAX,
} from "./limits.ts";

/** An agent at the door. One of the two is called, once. */
export interface Caller {
  /** It is its turn; `leave` gives the place back. */
  begin(): void;
  /** It is told to come back, in so many seconds. */
  refuse(retryAfterS: number): void;
}

/**
 * In which order agents are let in. When all links drop at once thousands dial within a second: a few are let in in each
 * turn of the event loop, so that whoever else asks for something is answered in between, and the others wait, since to be
 * accepted once more would cost as much as to be let in. Those for whom that would take too long are told when to come
 * back, each a little later than the one before.
 *
 * A place is held for the authentication only, so a stranger holds one for no longer than it takes to refuse them.
 */
export class LinkAdmission {
  readonly #clock: Pick<Clock, "now" | "at">;
  readonly #turn: Turn;
  /** Since when each waits, the first one first. */
  readonly #waiting = new Map<Caller, number>();
  #opening = 0;
  /** Ends the waiting for the moment at which the first one will have waited for too long. */
  #stopTimer: (() => void) | null = null;
  /** When the last of those who were told to come back will have been let in. */
  #bookedUntil = 0;

  constructor(clock: Pick<Clock, "now" | "turn" | "at">) {
    this.#clock = clock;
    this.#turn = new Turn(clock, () => this.#begin());
  }

  enter(caller: Caller): void {
    if (this.#waiting.size >= LINKS_WAITING_MAX) this.#sendAway(caller);
    else {
      this.#waiting.set(caller, this.#clock.now());
      this.#begin();
    }
  }

  leave(): void {
    this.#opening -= 1;
    this.#goOn();
  }

  /** Nobody is let in any more. */
  close(): void {
    this.#stopTimer?.();
    for (const caller of this.#waiting.keys()) this.#sendAway(caller);
    this.#waiting.clear();
  }

  #begin(): void {
    const now = this.#clock.now();
    for (const [caller, since] of this.#waiting) {
      const isLate = now - since > LINK_WAIT_MS_MAX;
      const isFull = this.#opening >= LINKS_OPENING_MAX;
      if (this.#turn.begun >= LINKS_BEGUN_IN_A_TURN || (isFull && !isLate)) break;
      this.#waiting.delete(caller);
      this.#turn.begun += 1;
      if (isLate) this.#sendAway(caller);
      else {
        this.#opening += 1;
        caller.begin();
      }
    }
    this.#goOn();
  }

  #goOn(): void {
    const [oldest] = this.#waiting.values();
    if (this.#turn.begun > 0 || (oldest !== undefined && this.#opening < LINKS_OPENING_MAX)) {
      this.#turn.end();
    } else if (oldest !== undefined && this.#stopTimer === null) {
      // All places are taken, by hosts of whom the database says nothing perhaps.
      this.#stopTimer = this.#clock.at(oldest + LINK_WAIT_MS_MAX + 1, () => {
        this.#stopTimer = null;
        this.#begin();
      });
    }
  }

  #sendAway(caller: Caller): void {
    const now = this.#clock.now();
    const next = Math.max(this.#bookedUntil, now) + 1_000 / LINKS_RETURNING_PER_S;
    this.#bookedUntil = Math.min(next, now + RETRY_LINK_S_MAX * 1_000);
    caller.refuse(Math.ceil((this.#bookedUntil - now) / 1_000));
  }
}
