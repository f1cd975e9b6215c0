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
  if (options.method === "HEAD" || BODILESS.has(status) || body === null) {
    if (body !== null && !(body instanceof Uint8Array)) body.cancel(new Error("an answer without a body"));
    options.over();
    return { status, headers, body: null };
  }
  if (body instanceof Uint8Array) {
    options.over();
    const others = headers.filter(([name]) => name !== "content-length");
    return { status, headers: [...others, ["content-length", String(body.byteLength)]], body };
  }
  const isEvents = headerOf(headers, "content-type")?.startsWith("text/event-stream") ?? false;
  const plain = headerOf(headers, "content-encoding") === null;
  return { status, headers, body: new PassedOn(body, isEvents && plain, options) };
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
  /** It is a stream of server-sent events, so an error can still be told in it. */
  readonly #events: boolean;
  readonly #options: AnswerOptions;
  #sink: BodySink | null = null;

  constructor(source: BodyFlow, events: boolean, options: AnswerOptions) {
    this.#source = source;
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
    return this.#sink?.write(bytes) ?? false;
  }

  end(): void {
    this.#options.over();
    this.#sink?.end();
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
