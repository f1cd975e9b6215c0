import { Agent, request } from "undici";
import { wholeOf } from "../../src/link/flows.ts";
import type { LinkEnd } from "../../src/link/types.ts";

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
  readonly #agent = new Agent({ maxResponseSize: ANSWER_BYTES_MAX });

  /** @param server `http://` or `https://`, without a path */
  constructor(server: string, credential: string) {
    this.#url = `${server}/agent/sync`;
    this.#credential = credential;
  }

  readonly carry: Carrier = async (report, signal) => {
    const { statusCode, body } = await request(this.#url, {
      dispatcher: this.#agent,
      method: "POST",
      headers: { authorization: `Bearer ${this.#credential}`, "content-type": "application/json" },
      body: report,
      signal,
    });
    return { status: statusCode, text: await body.text() };
  };

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
