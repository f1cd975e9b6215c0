import type { Agent } from "node:http";
import { wholeOf } from "../../src/link/flows.ts";
import type { LinkEnd } from "../../src/link/types.ts";
import { keptConnections, requestBytes } from "./http-request.ts";
import { retryAfterMs } from "./reconnect.ts";

/** A desired state: a thousand jobs of 16 KiB. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** What a report was answered. */
export interface Carried {
  status: number;
  text: string;
  /** When the server said to come back, in ms from now; null: it did not. */
  retryAfterMs: number | null;
}

/** Takes a report to the server and brings its answer back. @throws Error when there is none before `signal` aborts */
export type Carrier = (report: Uint8Array, signal: AbortSignal) => Promise<Carried>;

/** Over the link, where the server can also wake this host. */
export function overLink(link: LinkEnd): Carrier {
  return async (report, signal) => {
    const { head, body } = await link.request({ kind: "sync" }, report, signal);
    const text = new TextDecoder().decode(await wholeOf(body, ANSWER_BYTES_MAX));
    return { status: head.status, text, retryAfterMs: null };
  };
}

/** By requests of their own, for a network that lets no WebSocket through. */
export class Post {
  readonly #url: string;
  readonly #credential: string;
  readonly #agent: Agent;

  /** @param server `http://` or `https://`, without a path */
  constructor(server: string, credential: string) {
    this.#url = `${server}/agent/sync`;
    this.#credential = credential;
    this.#agent = keptConnections(server);
  }

  readonly carry: Carrier = async (report, signal) => {
    const { status, headers, body } = await requestBytes(this.#url, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#credential}`, "content-type": "application/json" },
      body: report,
      signal,
      answerBytesMax: ANSWER_BYTES_MAX,
      agent: this.#agent,
    });
    return { status, text: body.toString("utf8"), retryAfterMs: retryAfterMs(headers["retry-after"]) };
  };

  close(): void {
    this.#agent.destroy();
  }
}
