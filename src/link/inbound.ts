import { LinkError } from "./errors.ts";
import { CREDIT_BYTES_MIN, dataCost, WINDOW_BYTES } from "./limits.ts";

interface InboundOptions {
  /** Lets the other end send this much more. */
  credit: (bytes: number) => void;
  /** The consumer wants no more. */
  cancelled: (reason: unknown) => void;
}

/**
 * The receiving side of one body: what came waits here until the consumer pulls it, and only then is credit returned.
 * So a slow consumer stops the sender after one window.
 */
export class Inbound {
  readonly body: ReadableStream<Uint8Array>;
  readonly #credit: (bytes: number) => void;
  readonly #queue: Uint8Array[] = [];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #window = WINDOW_BYTES;
  #owed = 0;
  #wanted = false;
  #state: "open" | "ended" | "closed" = "open";

  constructor({ credit, cancelled }: InboundOptions) {
    this.#credit = credit;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: (reason) => {
          this.#state = "closed";
          this.#queue.length = 0;
          cancelled(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** What the other end may still send before it gets credit. */
  get window(): number {
    return this.#window;
  }

  /** @throws LinkError `protocol` when the other end overruns its window. */
  push(bytes: Uint8Array): void {
    this.#window -= dataCost(bytes.byteLength);
    if (this.#window < 0) throw new LinkError("protocol", "the other end of the link sent more than its window");
    if (this.#state !== "open") return;
    if (this.#wanted) this.#deliver(bytes);
    else this.#queue.push(detached(bytes));
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    if (this.#queue.length === 0) this.#close();
  }

  fail(error: LinkError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.length = 0;
    this.#controller.error(error);
  }

  #pull(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#wanted = true;
    else this.#deliver(next);
  }

  #deliver(bytes: Uint8Array): void {
    this.#wanted = false;
    const cost = dataCost(bytes.byteLength);
    this.#controller.enqueue(bytes);
    if (this.#state === "ended") {
      if (this.#queue.length === 0) this.#close();
      return;
    }
    this.#owed += cost;
    if (this.#owed < CREDIT_BYTES_MIN) return;
    this.#window += this.#owed;
    this.#credit(this.#owed);
    this.#owed = 0;
  }

  #close(): void {
    this.#state = "closed";
    this.#controller.close();
  }
}

/** A small piece of a large message is copied when it must wait, so that it does not hold the whole message. */
function detached(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
