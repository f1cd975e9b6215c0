import type { BodyFlow, BodySink, ReceivedAnswer } from "../link/types.ts";
import { errorBody, Refusal } from "./errors.ts";
import { headerOf, responseHeaders } from "./headers.ts";
import type { ProxyAnswer } from "./types.ts";

interface AnswerOptions {
  method: string;
  requestId: string;
  /** Told whenever a piece goes through. */
  moved: () => void;
  /** Told when the answer has ended, however; harmless when repeated. */
  over: () => void;
  /** Why our own side gave the request up, if it did. */
  givenUp: () => Refusal | null;
}

/** Statuses whose answers have no body. */
const BODILESS = new Set([204, 205, 304]);

/**
 * An answer of a replica as it goes to the client. A body that comes in pieces goes through piece by piece, as fast as
 * the client reads.
 * @throws Refusal 502 for an answer that HTTP does not allow.
 */
export function answerOf({ head, body }: ReceivedAnswer, options: AnswerOptions): ProxyAnswer {
  const { status } = head;
  const headers = headersOf(head.headers, options.requestId);
  if (status < 200) throw invalid(`status ${status}`);
  const length = lengthOf(headers);
  const others = headers.filter(([name]) => name !== "content-length");
  if (options.method === "HEAD" || BODILESS.has(status) || body === null) {
    if (body !== null && !(body instanceof Uint8Array)) body.cancel(new Error("an answer without a body"));
    options.over();
    return { status, headers: options.method === "HEAD" ? headers : others, body: null };
  }
  if (body instanceof Uint8Array) {
    options.over();
    return { status, headers: [...others, ["content-length", String(body.byteLength)]], body };
  }
  const isEvents = headerOf(headers, "content-type")?.startsWith("text/event-stream") ?? false;
  const plain = headerOf(headers, "content-encoding") === null && length === null;
  return { status, headers, body: new PassedOn(body, length, isEvents && plain, options) };
}

/**
 * What the head says of the body's length. A replica that says one thing and sends another would have a part of its
 * body taken for the next answer on the client's connection, which may be another caller's.
 */
function lengthOf(headers: [string, string][]): number | null {
  const [length, ...more] = headers.filter(([name]) => name === "content-length").map(([, value]) => value);
  if (length === undefined) return null;
  if (more.length > 0 || !/^\d{1,15}$/.test(length)) throw invalid("headers");
  return Number(length);
}

function headersOf(pairs: [string, string][], requestId: string): [string, string][] {
  try {
    return responseHeaders(pairs, requestId);
  } catch {
    throw invalid("headers");
  }
}

function invalid(what: string): Refusal {
  return new Refusal(502, "invalid_answer", `the replica answered with ${what} that cannot be passed on`);
}

/** A body on its way to the client, which is watched on the way. */
class PassedOn implements BodyFlow, BodySink {
  readonly #source: BodyFlow;
  /** Bytes that the head promised and that have not come; null where it promised none. */
  #left: number | null;
  /** It is a stream of server-sent events, so an error can still be told in it. */
  readonly #events: boolean;
  readonly #options: AnswerOptions;
  #sink: BodySink | null = null;

  constructor(source: BodyFlow, length: number | null, events: boolean, options: AnswerOptions) {
    this.#source = source;
    this.#left = length;
    this.#events = events;
    this.#options = options;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(reason: unknown): void {
    this.#options.over();
    this.#source.cancel(reason);
  }

  write(bytes: Uint8Array): boolean {
    this.#options.moved();
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
    this.#options.over();
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
    this.#options.over();
    if (!this.#events) {
      this.#sink?.fail(error);
      return;
    }
    const cause = this.#options.givenUp() ?? cut();
    // Status and head are long gone: an event is the one thing left that a client reads as an error.
    this.#sink?.write(new TextEncoder().encode(`\n\ndata: ${errorBody(cause)}\n\n`));
    this.#sink?.end();
  }
}

function cut(): Refusal {
  return new Refusal(502, "stream_cut", "the connection to the replica was lost in the middle of its answer");
}
