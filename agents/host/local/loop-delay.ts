/** The event loop is looked at this often: at a price that cannot be measured. */
const LOOK_MS = 1_000;

/** How much later than asked for the agent got to what was due: what kept it busy keeps probes and syncs waiting too. */
export class LoopDelay {
  looks = 0;
  /** Over all looks, in ms. */
  sumMs = 0;
  /** The longest since the agent's start, in ms. */
  maxMs = 0;
  #expectedAt = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#expectedAt = performance.now() + LOOK_MS;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#expectedAt);
    this.looks += 1;
    this.sumMs += lateMs;
    this.maxMs = Math.max(this.maxMs, lateMs);
    this.#expectedAt = now + LOOK_MS;
  }
}
