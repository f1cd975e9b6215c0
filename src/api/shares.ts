import type { Context, MiddlewareHandler } from "hono";
import type { Caller } from "../control/types.ts";
import type { ApiEnv } from "./auth.ts";
import { RequestError } from "./errors.ts";

/** Counts what each project (or host) has under way of one kind, so that none can take all sockets and memory. */
export class Shares {
  readonly #max: number;
  readonly #refusal: string;
  readonly #taken = new Map<string, number>();

  /** @param refusal what one is told that has `max` of them */
  constructor(max: number, refusal: string) {
    this.#max = max;
    this.#refusal = refusal;
  }

  /**
   * Takes a place.
   * @returns gives it back; may be called more than once
   * @throws RequestError `too_many`
   */
  take(who: string): () => void {
    const taken = this.#taken.get(who) ?? 0;
    if (taken >= this.#max) throw new RequestError("too_many", this.#refusal);
    this.#taken.set(who, taken + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#taken.get(who) ?? 1) - 1;
      if (left > 0) this.#taken.set(who, left);
      else this.#taken.delete(who);
    };
  }
}

/** Calls `over` once the answer to a request has been sent, or cannot be any more. */
export type WhenSent = (c: Context, over: () => void) => void;

/**
 * Lets a project have so many requests under way, its own alone counted. Runs after `allow`.
 * @param who counts apart what is not one project's, e.g. each host
 */
export function withinShare(
  shares: Shares,
  whenSent: WhenSent | undefined,
  who: (caller: Caller) => string = ({ project }) => project,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const giveBack = shares.take(who(c.get("caller")));
    whenSent?.(c, giveBack);
    try {
      await next();
    } finally {
      if (whenSent === undefined) giveBack();
    }
  };
}
