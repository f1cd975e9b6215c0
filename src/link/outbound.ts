import { LinkError } from "./errors.ts";
import { DATA_BYTES_MAX, DATA_COST_MIN, dataCost, WINDOW_BYTES } from "./limits.ts";
import type { Outbox } from "./outbox.ts";

/** The sending side of one body: reads its source only as fast as the other end grants credit and the socket drains. */
export class Outbound {
  readonly #stream: number;
  readonly #outbox: Outbox;
  #window = WINDOW_BYTES;
  #granted: (() => void) | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #stopped = false;

  constructor(stream: number, outbox: Outbox) {
    this.#stream = stream;
    this.#outbox = outbox;
  }

  /** Sends a body to its end, or until it is stopped. @throws what the source throws. */
  async send(source: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (source instanceof Uint8Array) return this.#sendBytes(source);
    const reader = source.getReader();
    this.#reader = reader;
    while (!this.#stopped) {
      const { done, value } = await reader.read();
      if (this.#stopped || done) return;
      if (!(value instanceof Uint8Array)) throw new TypeError("a body's chunks must be bytes (Uint8Array)");
      await this.#sendBytes(value);
    }
  }

  /** @throws LinkError `protocol` when the other end grants more than was used. */
  credit(bytes: number): void {
    this.#window += bytes;
    if (this.#window > WINDOW_BYTES) throw new LinkError("protocol", "the other end of the link granted too much");
    this.#wake();
  }

  /** Sends no more and tells the source so. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#outbox.drop(this.#stream);
    this.#wake();
    // The source may fail while it is cancelled; nobody is left to tell.
    this.#reader?.cancel(reason).catch(() => undefined);
  }

  async #sendBytes(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.byteLength && !this.#stopped) {
      if (this.#window < DATA_COST_MIN) {
        await new Promise<void>((resolve) => {
          this.#granted = resolve;
        });
        continue;
      }
      const piece = bytes.subarray(at, at + Math.min(DATA_BYTES_MAX, this.#window));
      at += piece.byteLength;
      this.#window -= dataCost(piece.byteLength);
      const wait = this.#outbox.data({ type: "data", stream: this.#stream, bytes: piece });
      if (wait) await wait;
    }
  }

  #wake(): void {
    this.#granted?.();
    this.#granted = null;
  }
}
