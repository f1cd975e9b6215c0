import type { Agent } from "node:http";
import { wholeOf } from "../../src/link/flows.ts";
import type { LinkEnd } from "../../src/link/types.ts";
import { keptConnections, sendRequest } from "./http-request.ts";

/** A desired state: a thousand jobs of 16 KiB. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Takes a report to the server and brings its answer back. @throws Error when there is none before `signal` aborts */
export type Carrier = (report: Uint8Array, signal: AbortSignal) => Promise<{ status: number; text: string }>;

/** Over the link, where the server can also wake this host. */
export function overLink(link: LinkEnd): Carrier {
  return async (report, signal) => {
    const { head, body } = await link.request({ kind: "sync" }, report, signal);
    return { status: head.status, text: new TextDecoder().decode(await wholeOf(body, ANSWER_BYTES_MAX)) };
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

  readonly carry: Carrier = (report, signal) =>
    sendRequest(this.#url, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#credential}`, "content-type": "application/json" },
      body: report,
      signal,
      answerBytesMax: ANSWER_BYTES_MAX,
      agent: this.#agent,
    });

  close(): void {
    this.#agent.destroy();
  }
}
