import type { Clock } from "./clock.ts";
import { untilAborted } from "./until-aborted.ts";

interface Transfer {
  bytesLeft: number;
  done: PromiseWithResolvers<void>;
}

/** Less than this is nothing: sums of shares do not come out even. */
const BYTES_EPSILON = 1;

/** A network that all transfers in progress share evenly. */
export class Network {
  private readonly clock: Clock;
  private readonly bytesPerMs: number;
  private readonly transfers = new Set<Transfer>();
  /** When `bytesLeft` of all was right. */
  private countedAt = 0;
  private change = new AbortController();

  constructor(clock: Clock, bytesPerS: number) {
    this.clock = clock;
    this.bytesPerMs = bytesPerS / 1000;
  }

  /** Sends bytes. @throws the signal's reason when it aborts first */
  async send(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const transfer = { bytesLeft: bytes, done: Promise.withResolvers<void>() };
    this.count();
    this.transfers.add(transfer);
    this.waitForNext();
    try {
      await untilAborted(transfer.done.promise, signal);
    } finally {
      this.count();
      if (this.transfers.delete(transfer)) this.waitForNext();
    }
  }

  private count(): void {
    const now = this.clock.now();
    const share = ((now - this.countedAt) * this.bytesPerMs) / Math.max(1, this.transfers.size);
    for (const transfer of this.transfers) transfer.bytesLeft -= share;
    this.countedAt = now;
  }

  /** Waits for the first of all to end, anew whenever one comes or goes. */
  private waitForNext(): void {
    this.change.abort();
    if (this.transfers.size === 0) return;
    const least = Math.min(...[...this.transfers].map(({ bytesLeft }) => bytesLeft));
    const ms = (Math.max(0, least) * this.transfers.size) / this.bytesPerMs;
    this.change = new AbortController();
    this.clock.sleep(ms, this.change.signal).then(
      () => this.finish(),
      () => {},
    );
  }

  private finish(): void {
    this.count();
    for (const transfer of this.transfers) {
      if (transfer.bytesLeft > BYTES_EPSILON) continue;
      this.transfers.delete(transfer);
      transfer.done.resolve();
    }
    this.waitForNext();
  }
}
