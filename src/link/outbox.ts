import { LinkError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { FRAME_BYTES_MAX, MESSAGE_BYTES_MAX, UNSENT_BYTES_MAX, UNSENT_BYTES_SOFT } from "./limits.ts";
import { MessageWriter } from "./message-writer.ts";

type DataFrame = Extract<Frame, { type: "data" }>;

interface OutboxOptions {
  /** Sends one WebSocket message. */
  send: (message: Uint8Array) => void;
  /** Runs a function at the end of this turn of the event loop. */
  later: (run: () => void) => void;
  /** What the socket holds unsent, in bytes. */
  buffered: () => number;
  /** Sending failed, or the other end does not read: the link is over. */
  fail: (error: unknown) => void;
}

/**
 * What leaves a link. Frames of one turn go out as one message, each payload copied once. Data waits while the socket
 * does not drain, one frame per stream, and goes on in the order of waiting, so that streams share the socket fairly.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<number, { frame: DataFrame; sent: () => void }>();
  readonly #writer = new MessageWriter();
  #messages: Uint8Array[] = [];
  #unsentBytes = 0;
  #flushing = false;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Whether data would wait. */
  get full(): boolean {
    return this.#waiting.size > 0 || !this.#hasRoom();
  }

  /**
   * Adds a frame that does not wait: open, head, end, reset, credit.
   * @throws LinkError `too_large`; nothing is added then.
   */
  push(frame: Frame): void {
    if (this.#closed) return;
    const writer = this.#writer;
    if (writer.bytes + FRAME_BYTES_MAX > MESSAGE_BYTES_MAX) this.#seal();
    const before = writer.bytes;
    writer.add(frame);
    this.#unsentBytes += writer.bytes - before;
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.later(() => this.#flush());
  }

  /** Adds data. @returns whether it is on its way; if not, `sent` is called when it is. */
  data(frame: DataFrame, sent: () => void): boolean {
    if (!this.#closed && this.full) {
      this.#waiting.set(frame.stream, { frame, sent });
      return false;
    }
    this.push(frame);
    return true;
  }

  /** Forgets the data of a stream that still waits here. */
  drop(stream: number): void {
    this.#waiting.delete(stream);
  }

  /** To be called when the socket has sent something. */
  drained(): void {
    for (const [stream, { frame, sent }] of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(stream);
      this.push(frame);
      sent();
    }
  }

  close(): void {
    this.#closed = true;
    this.#messages = [];
    this.#waiting.clear();
  }

  #hasRoom(): boolean {
    return this.#unsentBytes + this.#options.buffered() < UNSENT_BYTES_SOFT;
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    this.#seal();
    const messages = this.#messages;
    const bytes = this.#unsentBytes;
    this.#messages = [];
    this.#unsentBytes = 0;
    try {
      if (bytes + this.#options.buffered() > UNSENT_BYTES_MAX) {
        throw new LinkError("closed", "the other end of the link does not read what it is sent");
      }
      for (const message of messages) this.#options.send(message);
    } catch (error) {
      this.#options.fail(error);
      return;
    }
    this.drained();
  }

  /** Makes the frames so far one message. */
  #seal(): void {
    if (this.#writer.bytes > 0) this.#messages.push(this.#writer.take());
  }
}
