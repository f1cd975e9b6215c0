/** The engine's cache, counted in tokens. Whoever waits for room is served in the order of asking. */
export class KvPool {
  readonly capacity: number;
  used = 0;
  private readonly waiting: { tokens: number; granted: () => void }[] = [];
  private readonly onRelease: () => void;

  /** @param onRelease called when tokens have become free and nobody in the queue took them all */
  constructor(capacity: number, onRelease: () => void) {
    this.capacity = capacity;
    this.onRelease = onRelease;
  }

  tryReserve(tokens: number): boolean {
    if (this.waiting.length > 0 || this.used + tokens > this.capacity) return false;
    this.used += tokens;
    return true;
  }

  /** Waits for room. @throws the signal's reason when it aborts first; nothing is reserved then. */
  async reserve(tokens: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tryReserve(tokens)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { tokens, granted: resolve };
    const leave = () => {
      const index = this.waiting.indexOf(entry);
      if (index >= 0) this.waiting.splice(index, 1);
      reject(signal.reason);
    };
    this.waiting.push(entry);
    signal.addEventListener("abort", leave, { once: true });
    await promise.finally(() => signal.removeEventListener("abort", leave));
  }

  release(tokens: number): void {
    this.used -= tokens;
    for (let next = this.waiting[0]; next && this.used + next.tokens <= this.capacity; next = this.waiting[0]) {
      this.waiting.shift();
      this.used += next.tokens;
      next.granted();
    }
    this.onRelease();
  }
}
