import type { BodyFlow, BodySink } from "../link/types.ts";
import { errorBody, invalidAnswer, Refusal } from "./errors.ts";
import { headerOf } from "./headers.ts";
import type { Watch } from "./watch.ts";

/** What the head of an answer says of its body. */
export interface Promised {
  /** Bytes; null where it says nothing. */
  length: number | null;
  /** It is a stream of server-sent events, so an error can still be told in it. */
  isEvents: boolean;
}

/**
 * Reads that of a head. A replica that says one thing and sends another would have a part of its body taken for the next
 * answer on the client's connection, which may be another caller's.
 * @param headers names in lower case
 * @throws Refusal 502 for a length that is none
 */
export function promisedBy(headers: [string, string][]): Promised {
  const [length, ...more] = headers.filter(([name]) => name === "content-length").map(([, value]) => value);
  if (length !== undefined && (more.length > 0 || !/^\d{1,15}$/.test(length))) throw invalidAnswer("headers");
  const isPlain = length === undefined && headerOf(headers, "content-encoding") === null;
  const isEvents = headerOf(headers, "content-type")?.startsWith("text/event-stream") ?? false;
  return { length: length === undefined ? null : Number(length), isEvents: isEvents && isPlain };
}

/** A body on its way to the client, as fast as the client reads, which is watched on the way. */
export class PassedOn implements BodyFlow, BodySink {
  readonly #source: BodyFlow;
  /** Bytes that the head promised and that have not come. */
  #left: number | null;
  readonly #isEvents: boolean;
  readonly #watch: Watch;
  readonly #over: () => void;
  #sink: BodySink | null = null;

  /** @param over told when the body has ended, however; harmless when repeated */
  constructor(source: BodyFlow, promised: Promised, watch: Watch, over: () => void) {
    this.#source = source;
    this.#left = promised.length;
    this.#isEvents = promised.isEvents;
    this.#watch = watch;
    this.#over = over;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(reason: unknown): void {
    this.#over();
    this.#source.cancel(reason);
  }

  write(bytes: Uint8Array): boolean {
    this.#watch.moved();
    if (this.#left !== null) {
      this.#left -= bytes.byteLength;
      if (this.#left < 0) return this.#breakOff();
    }
    return this.#sink?.write(bytes) ?? false;
  }

  end(): void {
    if (this.#left !== null && this.#left > 0) {
      this.#breakOff();
      return;
    }
    this.#over();
    this.#sink?.end();
  }

  /** The body is not as long as was said: the connection cannot carry another answer. */
  #breakOff(): false {
    const sink = this.#sink;
    this.#sink = null;
    this.cancel(new Error("a body of another length than its head said"));
    sink?.fail(cut());
    return false;
  }

  fail(error: unknown): void {
    this.#over();
    if (!this.#isEvents) {
      this.#sink?.fail(error);
      return;
    }
    const cause = this.#watch.givenUp ?? cut();
    // Status and head are long gone: an event is the one thing left that a client reads as an error.
    this.#sink?.write(new TextEncoder().encode(`\n\ndata: ${errorBody(cause)}\n\n`));
    this.#sink?.end();
  }
}

function cut(): Refusal {
  return new Refusal(502, "stream_cut", "the connection to the replica was lost in the middle of its answer");
}
