import { LinkError } from "./errors.ts";
import { DATA_BYTES_MAX, DATA_COST_MIN, dataCost, WINDOW_BYTES } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { BodyFlow, BodySink } from "./types.ts";

/** The sending side of one body: takes of its source only as much as the other end grants and the socket drains. */
export class Outbound implements BodySink {
  readonly #stream: number;
  readonly #outbox: Outbox;
  /** Told once: null when all of the body is on its way, else what broke it off. */
  readonly #over: (error: unknown) => void;
  #window = WINDOW_BYTES;
  #source: BodyFlow | null = null;
  /** Of the last piece, what could not be sent yet. */
  #rest: Uint8Array | null = null;
  /** Of the last piece something is left, so its source waits to be resumed. */
  #held = false;
  /** A part of it waits for the socket. */
  #waiting = false;
  #state: "open" | "ended" | "stopped" = "open";

  constructor(stream: number, outbox: Outbox, over: (error: unknown) => void) {
    this.#stream = stream;
    this.#outbox = outbox;
    this.#over = over;
  }

  send(body: Uint8Array | BodyFlow): void {
    if (body instanceof Uint8Array) {
      this.write(body);
      this.end();
    } else {
      this.#source = body;
      body.start(this);
    }
  }

  write(bytes: Uint8Array): boolean {
    if (bytes.byteLength === 0) return true;
    this.#rest = bytes;
    this.#held = !this.#sendRest();
    return !this.#held;
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    if (!this.#held) this.#over(null);
  }

  fail(error: unknown): void {
    if (this.#state === "open") this.#over(error ?? new Error("the body broke off"));
  }

  /** @throws LinkError `protocol` when the other end grants more than was used. */
  credit(bytes: number): void {
    this.#window += bytes;
    if (this.#window > WINDOW_BYTES) throw new LinkError("protocol", "the other end of the link granted too much");
    this.#goOn();
  }

  /** Sends no more and tells the source so. */
  stop(reason: unknown): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#rest = null;
    this.#outbox.drop(this.#stream);
    this.#source?.cancel(reason);
  }

  /** @returns whether all of it is on its way */
  #sendRest(): boolean {
    while (this.#rest !== null && this.#state !== "stopped") {
      if (this.#window < DATA_COST_MIN) return false;
      const bytes = this.#rest;
      const piece = bytes.subarray(0, Math.min(DATA_BYTES_MAX, this.#window));
      this.#rest = piece.byteLength === bytes.byteLength ? null : bytes.subarray(piece.byteLength);
      this.#window -= dataCost(piece.byteLength);
      this.#waiting = !this.#outbox.data({ type: "data", stream: this.#stream, bytes: piece }, () => {
        this.#waiting = false;
        this.#goOn();
      });
      if (this.#waiting) return false;
    }
    return this.#state !== "stopped";
  }

  #goOn(): void {
    if (!this.#held || this.#waiting || !this.#sendRest()) return;
    this.#held = false;
    if (this.#state === "ended") this.#over(null);
    else this.#source?.resume();
  }
}
