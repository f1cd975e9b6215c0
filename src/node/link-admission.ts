import { LINKS_OPENING_MAX, LINKS_RETURNING_PER_S, RETRY_LINK_S_MAX } from "./limits.ts";

/**
 * How many agents are let in at a time. When all links drop at once thousands dial within a second: those beyond a few
 * are told when to come back, each a little later than the one before, so that whoever else asks for something is
 * answered in between.
 *
 * A place is held for the authentication only, so a stranger holds one for no longer than it takes to refuse them.
 */
export class LinkAdmission {
  readonly #now: () => number;
  #opening = 0;
  /** When the last of those who were told to come back will have been let in. */
  #bookedUntil = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Asks for a place. @returns null: there is one, to be given back by `leave`; else in how many seconds to ask again */
  enter(): number | null {
    if (this.#opening < LINKS_OPENING_MAX) {
      this.#opening += 1;
      return null;
    }
    const now = this.#now();
    const next = Math.max(this.#bookedUntil, now) + 1_000 / LINKS_RETURNING_PER_S;
    this.#bookedUntil = Math.min(next, now + RETRY_LINK_S_MAX * 1_000);
    return Math.ceil((this.#bookedUntil - now) / 1_000);
  }

  leave(): void {
    this.#opening -= 1;
  }
}
