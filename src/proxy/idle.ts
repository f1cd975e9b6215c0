/** Calls back once nothing has moved for a while. Being touched costs a clock reading, not a timer. */
export class IdleTimer {
  readonly #idleMs: number;
  readonly #now: () => number;
  readonly #idle: () => void;
  #movedAt: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(idleMs: number, now: () => number, idle: () => void) {
    this.#idleMs = idleMs;
    this.#now = now;
    this.#idle = idle;
    this.#movedAt = now();
    this.#timer = setTimeout(() => this.#check(), idleMs);
  }

  touch(): void {
    this.#movedAt = this.#now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const leftMs = this.#movedAt + this.#idleMs - this.#now();
    if (leftMs <= 0) this.#idle();
    else this.#timer = setTimeout(() => this.#check(), Math.ceil(leftMs));
  }
}
