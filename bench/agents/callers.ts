import { Agent, request } from "undici";
import { quantile } from "../support/report.ts";

/** Each kind of caller sends this often, whether it was answered or not: who waits for an answer would ask less. */
const EVERY_MS = 50;
/** A caller gives up after this long, which then is its latency. */
const ANSWER_MS_MAX = 30_000;

export interface Latency {
  asked: number;
  /** Not answered with 200. */
  failed: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  most: number;
}

/** Asks for one path at a steady rate until it is stopped. */
export class Caller {
  readonly #timer: NodeJS.Timeout;
  readonly #agent = new Agent({ connections: 64 });
  readonly #underWay = new Set<Promise<void>>();
  readonly #tookMs: number[] = [];
  #failed = 0;

  /** @param body null: a GET */
  constructor(url: string, token: string, body: string | null) {
    const ask = async () => {
      const began = performance.now();
      const isOk = await request(url, {
        dispatcher: this.#agent,
        method: body === null ? "GET" : "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      }).then(
        async (answer) => {
          await answer.body.dump();
          return answer.statusCode === 200;
        },
        () => false,
      );
      this.#tookMs.push(performance.now() - began);
      if (!isOk) this.#failed += 1;
    };
    this.#timer = setInterval(() => {
      const asking = ask();
      this.#underWay.add(asking);
      void asking.finally(() => this.#underWay.delete(asking));
    }, EVERY_MS);
  }

  /** @returns what was asked so far, once it is answered */
  async stop(): Promise<Latency> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    await this.#agent.destroy();
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return {
      asked: sorted.length,
      failed: this.#failed,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      most: quantile(sorted, 1),
    };
  }
}
