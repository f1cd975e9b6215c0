import { LinkError } from "./errors.ts";
import { CREDIT_BYTES_MIN, dataCost, WINDOW_BYTES } from "./limits.ts";
import type { BodyFlow, BodySink } from "./types.ts";

interface InboundOptions {
  /** Lets the other end send this much more. */
  credit: (bytes: number) => void;
  /** The consumer wants no more. */
  cancelled: (reason: unknown) => void;
}

/**
 * The receiving side of one body: what came waits here until the consumer takes it, and only then is credit returned.
 * So a slow consumer stops the sender after one window.
 */
export class Inbound implements BodyFlow {
  readonly #options: InboundOptions;
  readonly #queue: Uint8Array[] = [];
  #sink: BodySink | null = null;
  /** The sink takes more now. */
  #open = false;
  #window = WINDOW_BYTES;
  #owed = 0;
  #state: "open" | "ended" | "failed" | "closed" = "open";
  #error: unknown = null;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** What the other end may still send before it gets credit. */
  get window(): number {
    return this.#window;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
    this.#closeIfDone();
  }

  resume(): void {
    this.#open = true;
    while (this.#open && this.#queue.length > 0) this.#deliver(this.#queue.shift()!);
  }

  cancel(reason: unknown): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.length = 0;
    this.#options.cancelled(reason);
  }

  /** @throws LinkError `protocol` when the other end overruns its window. */
  push(bytes: Uint8Array): void {
    this.#window -= dataCost(bytes.byteLength);
    if (this.#window < 0) throw new LinkError("protocol", "the other end of the link sent more than its window");
    if (this.#state !== "open") return;
    if (this.#open) this.#deliver(bytes);
    else this.#queue.push(detached(bytes));
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#closeIfDone();
  }

  fail(error: LinkError): void {
    if (this.#state === "closed") return;
    this.#state = "failed";
    this.#error = error;
    this.#queue.length = 0;
    this.#closeIfDone();
  }

  #deliver(bytes: Uint8Array): void {
    const cost = dataCost(bytes.byteLength);
    // Set before, since the sink may resume while it writes.
    this.#open = false;
    if (this.#sink!.write(bytes)) this.#open = true;
    if (this.#state === "ended") this.#closeIfDone();
    if (this.#state !== "open") return;
    this.#owed += cost;
    if (this.#owed < CREDIT_BYTES_MIN) return;
    this.#window += this.#owed;
    this.#options.credit(this.#owed);
    this.#owed = 0;
  }

  #closeIfDone(): void {
    if (this.#sink === null || this.#queue.length > 0) return;
    if (this.#state === "ended") {
      this.#state = "closed";
      this.#sink.end();
    } else if (this.#state === "failed") {
      this.#state = "closed";
      this.#sink.fail(this.#error);
    }
  }
}

/** A small piece of a large message is copied when it must wait, so that it does not hold the whole message. */
function detached(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
