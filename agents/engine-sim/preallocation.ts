import type { KvPool } from "./kv-pool.ts";
import type { Sequence } from "./sequence.ts";

/**
 * A decode's promises of cache for prompts that are computed elsewhere. Whoever waits is served in the order of asking,
 * and only while some cache stays free for the answers of those who are there already.
 */
export class Preallocation {
  private readonly options: { maxRunning: number; reservedDecodeTokens: number };
  private readonly kv: KvPool<Sequence>;
  /** Whether others come first: those whose cache was taken. */
  private readonly mustWait: () => boolean;
  private readonly line: { sequence: Sequence; granted: () => void }[] = [];

  constructor(
    options: { maxRunning: number; reservedDecodeTokens: number },
    kv: KvPool<Sequence>,
    mustWait: () => boolean,
  ) {
    this.options = options;
    this.kv = kv;
    this.mustWait = mustWait;
  }

  hasRoomFor(tokens: number): boolean {
    const { maxRunning, reservedDecodeTokens } = this.options;
    if (this.kv.owners >= maxRunning) return false;
    return this.kv.free - reservedDecodeTokens * this.kv.owners >= tokens;
  }

  /** Waits for room. @throws the signal's reason when it aborts first; nothing is promised then. */
  async reserve(sequence: Sequence, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { sequence, granted: resolve };
    const leave = () => {
      const place = this.line.indexOf(entry);
      if (place >= 0) this.line.splice(place, 1);
      reject(signal.reason);
      this.grant();
    };
    this.line.push(entry);
    signal.addEventListener("abort", leave, { once: true });
    this.grant();
    await promise.finally(() => signal.removeEventListener("abort", leave));
  }

  /** Serves those in line for whom there is room now. */
  grant(): void {
    for (let next = this.line[0]; next; next = this.line[0]) {
      if (this.mustWait() || !this.hasRoomFor(next.sequence.promptTokens)) return;
      this.line.shift();
      this.kv.take(next.sequence, next.sequence.promptTokens);
      next.granted();
    }
  }
}
