import { joined } from "../link/flows.ts";
import type { BodyFlow, BodySink } from "../link/types.ts";

/**
 * A body on its way in: gathered for as long as it may be kept, else passed on as it comes, from its first byte. Every
 * piece is told.
 */
export class Intake implements BodyFlow, BodySink {
  readonly #source: BodyFlow;
  readonly #moved: () => void;
  #gathering: { max: number; resolve: (bytes: Uint8Array | null) => void; reject: (error: unknown) => void } | null =
    null;
  /** What came and was not passed on. */
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #started = false;
  #ended = false;
  #sink: BodySink | null = null;
  #open = false;

  constructor(source: BodyFlow, moved: () => void) {
    this.#source = source;
    this.#moved = moved;
  }

  /**
   * Before anything else or never.
   * @returns the whole body, or null when it is larger than this: then the flow has all of it.
   */
  gather(max: number): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#gathering = { max, resolve, reject };
      this.#begin();
    });
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#open = true;
    if (this.#started) this.resume();
    else this.#begin();
  }

  resume(): void {
    this.#open = true;
    while (this.#open && this.#chunks.length > 0) this.#deliver(this.#chunks.shift()!);
    if (!this.#open) return;
    if (this.#ended) this.#sink?.end();
    else this.#source.resume();
  }

  cancel(reason: unknown): void {
    this.#chunks = [];
    this.#sink = null;
    this.#source.cancel(reason);
  }

  write(bytes: Uint8Array): boolean {
    this.#moved();
    const gathering = this.#gathering;
    if (gathering !== null) {
      this.#chunks.push(bytes);
      this.#bytes += bytes.byteLength;
      if (this.#bytes <= gathering.max) return true;
      this.#gathering = null;
      gathering.resolve(null);
      return false;
    }
    if (this.#open && this.#chunks.length === 0) this.#deliver(bytes);
    else this.#chunks.push(bytes);
    return this.#open;
  }

  end(): void {
    this.#moved();
    this.#ended = true;
    if (this.#gathering !== null) this.#gathering.resolve(joined(this.#chunks, this.#bytes));
    else if (this.#chunks.length === 0) this.#sink?.end();
  }

  fail(error: unknown): void {
    if (this.#gathering !== null) this.#gathering.reject(error);
    else this.#sink?.fail(error);
  }

  #begin(): void {
    this.#started = true;
    this.#source.start(this);
  }

  #deliver(bytes: Uint8Array): void {
    // Set before, since the sink may resume while it writes.
    this.#open = false;
    if (this.#sink?.write(bytes)) this.#open = true;
  }
}
