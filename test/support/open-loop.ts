import { type Answer, chat } from "./chat.ts";

/**
 * Requests under way at a time. A service that hangs is asked on, as its users would, but not until the machine is out
 * of memory; what does not fit counts as failed.
 */
const UNDER_WAY_MAX = 1_000;

/** What became of one request. Instants are of `performance.now()`. */
export interface Served {
  at: number;
  endedAt: number;
  /** 0 when nothing answered. */
  status: number;
  /**
   * - `whole`: 200 and, for a stream, everything up to its `[DONE]`
   * - `cut`: 200, and then it broke off
   * - `failed`: another status, or no answer
   * - `hung`: given up when the loop was stopped
   */
  outcome: "whole" | "cut" | "failed" | "hung";
  /** The longest time without a byte of text, from its beginning on. */
  silentMs: number;
  /** The worker that wrote the answer, where the router says so. */
  worker: string | null;
  detail: string;
}

export interface OpenLoopOptions {
  /** Of the service, without `/v1/...`. */
  url: string;
  token: string;
  perSecond: number;
  /** Of each request. */
  body: { model: string; [field: string]: unknown };
}

/**
 * Sends requests at a fixed rate whether or not earlier ones were answered, as independent users do: a service that
 * stands still is not spared, and every request that it let fail is counted.
 */
export class OpenLoop {
  readonly served: Served[] = [];
  readonly #options: OpenLoopOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #givenUp = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #began = performance.now();
  #sent = 0;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sendDue(), 1_000 / options.perSecond);
  }

  /** Sends no more and waits for what is under way. @returns all requests, by their beginning */
  async stop(withinMs: number): Promise<Served[]> {
    clearInterval(this.#timer);
    const timer = setTimeout(() => this.#givenUp.abort(), withinMs);
    await Promise.all(this.#underWay);
    clearTimeout(timer);
    return this.served.toSorted((a, b) => a.at - b.at);
  }

  /** A timer that came late is made up for: the rate holds on a busy machine. */
  #sendDue(): void {
    const due = ((performance.now() - this.#began) / 1_000) * this.#options.perSecond;
    for (; this.#sent < due; this.#sent += 1) {
      const done = this.#send().finally(() => this.#underWay.delete(done));
      this.#underWay.add(done);
    }
  }

  async #send(): Promise<void> {
    const { url, token, body } = this.#options;
    const at = performance.now();
    let heardAt = at;
    let silentMs = 0;
    const heard = () => {
      const now = performance.now();
      silentMs = Math.max(silentMs, now - heardAt);
      heardAt = now;
    };
    let result: Pick<Served, "status" | "outcome" | "worker" | "detail">;
    try {
      if (this.#underWay.size >= UNDER_WAY_MAX) throw new Error("too many requests are under way");
      result = resultOf(await chat(url, token, body, heard, this.#givenUp.signal));
    } catch (error) {
      const outcome = this.#givenUp.signal.aborted ? "hung" : heardAt > at ? "cut" : "failed";
      result = { status: outcome === "cut" ? 200 : 0, outcome, worker: null, detail: reasonOf(error) };
    }
    heard();
    this.served.push({ at, endedAt: heardAt, silentMs, ...result });
  }
}

function resultOf(answer: Answer): Pick<Served, "status" | "outcome" | "worker" | "detail"> {
  const { status, worker } = answer;
  const outcome = status !== 200 ? "failed" : answer.whole ? "whole" : "cut";
  return { status, worker, outcome, detail: outcome === "whole" ? "" : answer.body.slice(-300) };
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return `${message ?? error}${cause ? `: ${cause.code ?? cause.message}` : ""}`;
}
