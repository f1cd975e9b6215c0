import type { ReceivedAnswer, ReceivedBody } from "../link/types.ts";
import { Exchange, type ExchangeOptions, type Over, Unreached } from "./exchange.ts";
import { Pool } from "./pool.ts";
import { framingOf, requestHead } from "./request-head.ts";

/** What all sockets of a client read into, one after the other: what one read has brought is taken out before the next. */
const READ_BYTES = 64 * 1024;

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

/**
 * Sends requests to replicas over HTTP/1.1, each on a kept connection of its own, and streams both ways. It is the
 * request path's innermost part, so it does nothing else: half the processor time of a client for everything.
 */
export class ReplicaClient {
  readonly #options: ReplicaClientOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #closed: PromiseWithResolvers<void> | null = null;

  constructor(options: ReplicaClientOptions) {
    this.#options = options;
  }

  /**
   * @param origin `http://address:port`
   * @param over called once when the exchange has come to its end, the answer's body included
   * @returns the answer; a small body whole, a larger one as it comes
   * @throws Unreached when no byte of the request has left and its body is untouched; what `signal` was aborted with;
   *   else what broke the exchange off before its answer began
   */
  request(origin: string, request: ReplicaRequest, signal: AbortSignal, over: Over): Promise<ReceivedAnswer> {
    return new Promise((resolve, reject) => {
      let pool: Pool;
      let sent: Pick<ExchangeOptions, "head" | "framing" | "body">;
      try {
        if (signal.aborted) throw signal.reason;
        if (this.#closed !== null) throw new Unreached("the client is closed");
        sent = sentOf(request, origin);
        pool = this.#pool(origin);
      } catch (error) {
        over();
        return reject(error);
      }
      const left = () => {
        pool.left(exchange);
        over();
      };
      const bodiless = request.method === "HEAD";
      const exchange: Exchange = new Exchange({ ...sent, bodiless, signal, resolve, reject, over: left });
      pool.send(exchange);
    });
  }

  /** Ends every connection, whatever is under way on it. */
  close(): Promise<void> {
    return this.#end((pool) => pool.destroy(new Error("the client is closed")));
  }

  /** Takes no more requests, and ends each connection when what is under way on it is over. */
  retire(): Promise<void> {
    return this.#end((pool) => pool.retire());
  }

  #end(how: (pool: Pool) => void): Promise<void> {
    this.#closed ??= Promise.withResolvers();
    for (const pool of [...this.#pools.values()]) how(pool);
    if (this.#pools.size === 0) this.#closed.resolve();
    return this.#closed.promise;
  }

  #pool(origin: string): Pool {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const { hostname, port } = new URL(origin);
    const pool = new Pool({
      ...this.#options,
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 80),
      buffer: this.#buffer,
      empty: () => {
        this.#pools.delete(origin);
        if (this.#pools.size === 0) this.#closed?.resolve();
      },
    });
    this.#pools.set(origin, pool);
    return pool;
  }
}

function sentOf(request: ReplicaRequest, origin: string): Pick<ExchangeOptions, "head" | "framing" | "body"> {
  const { body } = request;
  const framing = framingOf(request, body instanceof Uint8Array ? body.byteLength : body === null ? null : "flow");
  try {
    return { head: requestHead(request, origin.slice("http://".length), framing), framing, body };
  } catch (error) {
    throw new Unreached(error instanceof Error ? error.message : String(error));
  }
}
