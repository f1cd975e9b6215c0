import { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";

/** SGLang closes idle connections after 5 s; ours go first, so that no request meets a connection that is closing. */
const KEEP_ALIVE_MS = 4_000;
/** How much sooner than the replica says we let go of an idle connection. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** How often idle connections are looked at. */
const SWEEP_MS = 1_000;

export interface PoolOptions {
  host: string;
  port: number;
  connectMs: number;
  connectionsMax: number;
  buffer: Uint8Array;
  /** It holds nothing any more. */
  empty: () => void;
}

/** The connections to one replica. Who finds all of them taken waits for one. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #open = new Set<Connection>();
  /** Those that were used last are used first. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Exchange>();
  #sweep: NodeJS.Timeout | null = null;
  #retired = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  send(exchange: Exchange): void {
    const idle = this.#freshIdle();
    if (idle !== null) idle.carry(exchange);
    else if (this.#open.size < this.#options.connectionsMax) this.#connect(exchange);
    else this.#waiting.add(exchange);
  }

  /** The exchange is over, and waits no more. */
  left(exchange: Exchange): void {
    this.#waiting.delete(exchange);
  }

  /** Ends each connection when what it carries is over. */
  retire(): void {
    this.#retired = true;
    for (const connection of [...this.#idle]) connection.abandon();
    this.#endIfEmpty();
  }

  /** Ends every connection, whatever it carries. */
  destroy(error: Error): void {
    this.#retired = true;
    for (const exchange of [...this.#waiting]) exchange.fail(error);
    for (const connection of [...this.#open]) connection.destroy(error);
    this.#endIfEmpty();
  }

  #connect(exchange: Exchange): void {
    const connection = new Connection(
      {
        ...this.#options,
        free: (freed) => this.#freed(freed),
        closed: (closed) => this.#closed(closed),
      },
      exchange,
    );
    this.#open.add(connection);
  }

  #freed(connection: Connection): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      connection.carry(next);
      return;
    }
    if (this.#retired) {
      connection.abandon();
      return;
    }
    connection.idleSince = performance.now();
    this.#idle.push(connection);
    this.#sweep ??= setInterval(() => this.#closeStale(), SWEEP_MS).unref();
  }

  #closed(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#connect(next);
    }
    this.#endIfEmpty();
  }

  #freshIdle(): Connection | null {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!isStale(idle)) return idle;
      idle.abandon();
    }
    return null;
  }

  #closeStale(): void {
    for (const connection of this.#idle.filter(isStale)) connection.abandon();
    if (this.#idle.length === 0) this.#stopSweep();
  }

  #endIfEmpty(): void {
    if (this.#open.size > 0 || this.#waiting.size > 0) return;
    this.#stopSweep();
    this.#options.empty();
  }

  #stopSweep(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
  }
}

function isStale({ idleSince, keepMs }: Connection): boolean {
  const keptMs = Math.min(KEEP_ALIVE_MS, keepMs === null ? KEEP_ALIVE_MS : keepMs - KEEP_ALIVE_MARGIN_MS);
  return performance.now() - idleSince >= keptMs;
}
