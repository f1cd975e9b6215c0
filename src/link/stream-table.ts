import { LinkError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { dataCost, STREAM_ID_MAX, WINDOW_BYTES } from "./limits.ts";

/**
 * Which streams a link has, and which it has given up but may still hear of.
 *
 * Each end resets a stream at most once, and answers the other's reset with its own unless both crossed. So after its
 * reset an end knows exactly how long frames of that stream can still come (until the other's reset) and how many bytes
 * of data (what was left of the window). Whatever is beyond that breaks the rules. A stream counts as open until then,
 * so that neither end ever sees more open streams than the other.
 */
export class StreamTable<T> {
  readonly #streams = new Map<number, T>();
  /** Given up by this end and not yet by the other: bytes that may still come. */
  readonly #leaving = new Map<number, number>();
  readonly #parity: number;
  readonly #max: number;
  readonly #count = { ours: 0, theirs: 0 };
  readonly #last = { ours: 0, theirs: 0 };

  /**
   * @param firstId 1 or 2: of the streams that this end opens
   * @param max that each end may have open at a time
   * @param lastOurs of the streams that this end opened before it forgot them
   */
  constructor(firstId: 1 | 2, max: number, lastOurs: number = firstId - 2) {
    this.#parity = firstId % 2;
    this.#max = max;
    this.#last.ours = lastOurs;
  }

  get size(): number {
    return this.#streams.size;
  }

  get(id: number): T | null {
    return this.#streams.get(id) ?? null;
  }

  /** The id of the next stream that this end opens. @throws LinkError `busy` or, after 2 thousand million, `closed`. */
  nextId(): number {
    if (this.#count.ours >= this.#max) {
      throw new LinkError("busy", `${this.#max} requests are open on this link already`, false);
    }
    const id = this.#last.ours + 2;
    if (id > STREAM_ID_MAX) throw new LinkError("closed", "the link has used up its stream ids", false);
    return id;
  }

  /**
   * Whether the other end may open this stream. If not it is taken as given up by us.
   * @throws LinkError `protocol` for an id that is not the other end's or not new, or when it ignores refusals.
   */
  admit(id: number): boolean {
    if (this.#side(id) !== "theirs" || id <= this.#last.theirs) throw wrong(`opened stream ${id} out of order`);
    if (this.#count.theirs < this.#max) return true;
    if (this.#count.theirs >= 2 * this.#max) throw wrong("opens streams although they are refused");
    this.#last.theirs = id;
    this.#count.theirs += 1;
    this.#leaving.set(id, WINDOW_BYTES);
    return false;
  }

  opened(id: number, stream: T): void {
    const side = this.#side(id);
    this.#last[side] = id;
    this.#count[side] += 1;
    this.#streams.set(id, stream);
  }

  finished(id: number): void {
    if (this.#streams.delete(id)) this.#count[this.#side(id)] -= 1;
  }

  /** @param window what the other end may still send of its body; null when it has not begun. */
  resetByUs(id: number, window: number | null): void {
    this.#streams.delete(id);
    this.#leaving.set(id, window ?? WINDOW_BYTES);
  }

  /**
   * @returns the stream, if it was open; and whether our own reset must follow as confirmation.
   * @throws LinkError `protocol` for a stream that never was.
   */
  resetByThem(id: number): { stream: T | null; confirm: boolean } {
    this.#mustHaveBeen(id);
    const stream = this.get(id);
    const wasLeaving = this.#leaving.delete(id);
    if (this.#streams.delete(id) || wasLeaving) this.#count[this.#side(id)] -= 1;
    return { stream, confirm: !wasLeaving };
  }

  /** A frame of a stream that is not open. @throws LinkError `protocol` unless it can have been under way. */
  late(frame: Exclude<Frame, { type: "open" | "reset" }>): void {
    this.#mustHaveBeen(frame.stream);
    if (frame.type === "credit") return;
    const left = this.#leaving.get(frame.stream);
    if (left === undefined) throw wrong(`sent more of stream ${frame.stream} after its end`);
    if (frame.type !== "data") return;
    const rest = left - dataCost(frame.bytes.byteLength);
    if (rest < 0) throw wrong("sent more than its window");
    this.#leaving.set(frame.stream, rest);
  }

  /** Empties the table. @returns what was open. */
  takeAll(): T[] {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#leaving.clear();
    return streams;
  }

  #side(id: number): "ours" | "theirs" {
    return id % 2 === this.#parity ? "ours" : "theirs";
  }

  #mustHaveBeen(id: number): void {
    if (id > this.#last[this.#side(id)]) throw wrong(`spoke of stream ${id}, which nobody opened`);
  }
}

function wrong(what: string): LinkError {
  return new LinkError("protocol", `the other end of the link ${what}`);
}
