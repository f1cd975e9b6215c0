import type { Duplex } from "node:stream";

/**
 * The sockets that carry no request now. They are what a stranger can have without end, so there is a bound, beyond
 * which one is closed for each that comes: the oldest of those that never sent a request, else the one that has been
 * idle the longest. So whoever does send a request is not turned away by those who only hold sockets.
 */
export class IdleSockets {
  readonly #max: number;
  readonly #silent = new Set<Duplex>();
  readonly #idle = new Set<Duplex>();
  /** Requests under way on a socket; with pipelining there can be several. */
  readonly #underWay = new Map<Duplex, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** A socket was opened. */
  opened(socket: Duplex): void {
    this.#silent.add(socket);
    socket.once("close", () => this.#forget(socket));
    this.#trim();
  }

  /** A request has come whole but for its body. */
  began(socket: Duplex): void {
    this.#silent.delete(socket);
    this.#idle.delete(socket);
    this.#underWay.set(socket, (this.#underWay.get(socket) ?? 0) + 1);
  }

  /** A request was answered, or given up. */
  ended(socket: Duplex): void {
    const left = (this.#underWay.get(socket) ?? 0) - 1;
    if (left > 0) {
      this.#underWay.set(socket, left);
      return;
    }
    this.#underWay.delete(socket);
    if (socket.destroyed) return;
    this.#idle.add(socket);
    this.#trim();
  }

  /** Whether an answer may have been begun on it. */
  isBusy(socket: Duplex): boolean {
    return this.#underWay.has(socket);
  }

  #trim(): void {
    while (this.#silent.size + this.#idle.size > this.#max) {
      const [oldest] = this.#silent.size > 0 ? this.#silent : this.#idle;
      if (oldest === undefined) return;
      this.#forget(oldest);
      oldest.destroy();
    }
  }

  #forget(socket: Duplex): void {
    this.#silent.delete(socket);
    this.#idle.delete(socket);
    this.#underWay.delete(socket);
  }
}
