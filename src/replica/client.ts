import { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import type { BodyFlow, ReceivedAnswer, ReceivedBody } from "../link/types.ts";
import { HOP_BY_HOP } from "../wire/index.ts";
import { Exchange, type Over } from "./exchange.ts";

/** SGLang closes idle connections after 5 s; ours go first, so that no request meets a connection that is closing. */
const KEEP_ALIVE_MS = 4_000;
/** SMG's own limit for a request: a long answer that is not streamed has no byte before its end. */
const SILENT_MS_MAX = 30 * 60_000;

/** Ours to say towards the replica: its own host, and a body that nobody waits with. */
const NOT_SENT: ReadonlySet<string> = new Set([...HOP_BY_HOP, "host", "expect"]);

export interface ReplicaRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: [string, string][];
  body: ReceivedBody;
}

interface ReplicaClientOptions {
  connectMs: number;
  /** Connections to one replica. */
  connectionsMax: number;
}

/** Sends requests to replicas over HTTP, each on a kept connection of its own, and streams both ways. */
export class ReplicaClient {
  readonly #agent: Agent;

  constructor({ connectMs, connectionsMax }: ReplicaClientOptions) {
    this.#agent = new Agent({
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connections: connectionsMax,
      connect: { timeout: connectMs },
      headersTimeout: SILENT_MS_MAX,
      bodyTimeout: SILENT_MS_MAX,
    });
  }

  /**
   * @param origin `http://address:port`
   * @param over called once when the exchange has come to its end, the answer's body included
   * @returns the answer; a small body whole, a larger one as it comes
   * @throws Unreached when no byte of the request has left and its body is untouched; what `signal` was aborted with;
   *   else what broke the exchange off before its answer began
   */
  request(origin: string, request: ReplicaRequest, signal: AbortSignal, over: Over): Promise<ReceivedAnswer> {
    const { method, path, body } = request;
    return new Promise((resolve, reject) => {
      const exchange = new Exchange({ bodiless: method === "HEAD", signal, resolve, reject, over });
      try {
        const sent = body === null || body instanceof Uint8Array ? body : readableOf(body);
        const options = {
          origin,
          path,
          method: method as Dispatcher.HttpMethod,
          headers: flat(request.headers),
          body: sent,
        };
        this.#agent.dispatch(options, exchange);
      } catch (error) {
        exchange.onResponseError(null, error as Error);
      }
    });
  }

  /** Ends every connection, whatever is under way on it. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** Takes no more requests, and ends each connection when what is under way on it is over. */
  retire(): Promise<void> {
    return this.#agent.close();
  }
}

/** Names and values in turn, as undici takes them. */
function flat(headers: [string, string][]): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) if (!NOT_SENT.has(name.toLowerCase())) list.push(name, value);
  return list;
}

/** A flow as Node's streams have it, started by its first reader. */
function readableOf(flow: BodyFlow): Readable {
  let started = false;
  const readable = new Readable({
    read() {
      if (started) return flow.resume();
      started = true;
      flow.start({
        write: (bytes) => readable.push(bytes),
        end: () => readable.push(null),
        fail: (error) => readable.destroy(error as Error),
      });
    },
    destroy(error, done) {
      flow.cancel(error);
      done(error);
    },
  });
  return readable;
}
