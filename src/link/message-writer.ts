import { LinkError } from "./errors.ts";
import { BODY, type Frame, HEAD_PREFIX_BYTES, LENGTH_BYTES, PREFIX_BYTES, TYPE } from "./frames.ts";
import { HEAD_BYTES_MAX, REASON_CHARS_MAX } from "./limits.ts";

/** A character is at most 3 bytes of UTF-8 for each unit of a JavaScript string. */
const BYTES_PER_CHAR_MAX = 3;

/** Messages share memory in pieces of up to this size: allocating it for each costs more than writing it. */
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * A new piece has room for so many messages like the last one, and one that has room for more is not kept, so that the
 * memory of a quiet link stays small: each of thousands was told at length what to run, once.
 */
const MESSAGES_PER_CHUNK = 16;

const NO_BYTES = new Uint8Array(0);

const encoder = new TextEncoder();

/** Makes messages out of frames. Each byte is written once, where it stays: what was taken is never written to again. */
export class MessageWriter {
  #chunk = NO_BYTES;
  #view = new DataView(this.#chunk.buffer);
  /** Where in the chunk the message that is being made begins, and where it goes on. */
  #from = 0;
  #at = 0;
  #lastBytes = 0;

  /** Bytes of the message so far. */
  get bytes(): number {
    return this.#at - this.#from;
  }

  /**
   * Appends a frame. Its payload is copied.
   * @throws LinkError `too_large` when the JSON of a head does not fit; nothing is appended then.
   */
  add(frame: Frame): void {
    switch (frame.type) {
      case "open":
      case "head":
        this.#addHead(frame);
        break;
      case "data":
        this.#begin(TYPE.data, frame.stream, frame.bytes.byteLength);
        this.#put(frame.bytes);
        break;
      case "end":
        this.#begin(TYPE.end, frame.stream, 0);
        break;
      case "reset": {
        const reason = encoder.encode(frame.reason.slice(0, REASON_CHARS_MAX));
        this.#begin(TYPE.reset, frame.stream, reason.byteLength);
        this.#put(reason);
        break;
      }
      case "credit":
        this.#begin(TYPE.credit, frame.stream, 4);
        this.#view.setUint32(this.#at, frame.bytes);
        this.#at += 4;
        break;
    }
  }

  /** The message; the next frame begins another one. */
  take(): Uint8Array {
    const message = this.#chunk.subarray(this.#from, this.#at);
    this.#lastBytes = message.byteLength;
    this.#from = this.#at;
    if (this.#chunk.byteLength - this.#at > MESSAGES_PER_CHUNK * this.#lastBytes) this.#use(NO_BYTES);
    return message;
  }

  #addHead({ type, stream, head, body }: Extract<Frame, { head: unknown }>): void {
    const json = JSON.stringify(head);
    const whole = body instanceof Uint8Array ? body : null;
    if (json.length > HEAD_BYTES_MAX) throw tooLarge(encoder.encode(json).byteLength);
    const fixedBytes = LENGTH_BYTES + PREFIX_BYTES + HEAD_PREFIX_BYTES;
    this.#reserve(fixedBytes + json.length * BYTES_PER_CHAR_MAX + (whole?.byteLength ?? 0));
    // The JSON first, since its length is known only then.
    const { written } = encoder.encodeInto(json, this.#chunk.subarray(this.#at + fixedBytes));
    if (written > HEAD_BYTES_MAX) throw tooLarge(written);
    this.#begin(TYPE[type], stream, HEAD_PREFIX_BYTES + written + (whole?.byteLength ?? 0));
    this.#view.setUint8(this.#at, whole ? BODY.whole : body === null ? BODY.none : BODY.stream);
    this.#view.setUint32(this.#at + 1, written);
    this.#at += HEAD_PREFIX_BYTES + written;
    if (whole) this.#put(whole);
  }

  /** Writes what every frame begins with, and makes room for its rest. */
  #begin(type: number, stream: number, restBytes: number): void {
    this.#reserve(LENGTH_BYTES + PREFIX_BYTES + restBytes);
    const view = this.#view;
    view.setUint32(this.#at, PREFIX_BYTES + restBytes);
    view.setUint8(this.#at + LENGTH_BYTES, type);
    view.setUint32(this.#at + LENGTH_BYTES + 1, stream);
    this.#at += LENGTH_BYTES + PREFIX_BYTES;
  }

  #put(bytes: Uint8Array): void {
    this.#chunk.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** Makes room, in a new chunk where this one is used up; what is there of the message moves along. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.byteLength) return;
    const pending = this.#chunk.subarray(this.#from, this.#at);
    const ahead = Math.min(CHUNK_BYTES_MAX, MESSAGES_PER_CHUNK * this.#lastBytes);
    this.#use(new Uint8Array(Math.max(2 * pending.byteLength + bytes, ahead)));
    this.#chunk.set(pending);
    this.#at = pending.byteLength;
  }

  #use(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunk = chunk;
    this.#view = new DataView(chunk.buffer);
    this.#from = 0;
    this.#at = 0;
  }
}

function tooLarge(bytes: number): LinkError {
  return new LinkError(
    "too_large",
    `the headers take ${bytes} bytes, at most ${HEAD_BYTES_MAX} fit into a frame`,
    false,
  );
}
