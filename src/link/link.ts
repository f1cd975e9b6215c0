import { answerHead } from "./answer-head.ts";
import { LinkError, reasonOf } from "./errors.ts";
import { asFlow } from "./flows.ts";
import { decodeMessage, type Frame, type FrameBody } from "./frames.ts";
import { Inbound } from "./inbound.ts";
import { OPEN_STREAMS_MAX, WHOLE_BODY_BYTES_MAX } from "./limits.ts";
import { Outbound } from "./outbound.ts";
import { Outbox } from "./outbox.ts";
import { StreamTable } from "./stream-table.ts";
import type { LinkBody, LinkEnd, LinkHandler, ReceivedAnswer, ReceivedBody } from "./types.ts";

export interface LinkOptions {
  /** Ids of streams are odd on the side that dialled and even on the other, so both can open without asking. */
  side: "dialled" | "accepted";
  /** Sends one WebSocket message. May throw when the socket is gone. */
  send: (message: Uint8Array) => void;
  /** Serves what the other end opens. */
  handler: LinkHandler;
  /** Told once when the link is over, whoever ended it. Close the socket then. */
  closed?: (reason: LinkError) => void;
  /**
   * Runs a function at the end of this turn; all frames made until then leave as one message. `setImmediate` on Node.
   * A bare `queueMicrotask` must be wrapped: called as a method it throws on workerd.
   */
  later?: (run: () => void) => void;
  /** What the socket holds unsent, in bytes. Where it is given, call `drained` when the socket has sent something. */
  buffered?: () => number;
  /** Streams that either side may have open at a time. */
  openStreamsMax?: number;
  /**
   * The last stream that an earlier life of this end may have opened, of which the other end still knows: a platform
   * may forget a link that is at rest and keep its socket. What was open in that life ends with the link.
   */
  lastOwnStream?: number;
}

/** A stream as one of its ends sees it. It is over when both bodies are, or when either end resets it. */
interface Stream {
  id: number;
  /** Null until a body is sent in pieces. */
  out: Outbound | null;
  /** Null while no body is being received. */
  in: Inbound | null;
  sent: boolean;
  received: boolean;
  /** Of the end that opened it, until it is answered. */
  answer: { resolve: (answer: ReceivedAnswer) => void; reject: (error: LinkError) => void } | null;
  /** Of the end that serves it: aborts its handler. */
  abort: AbortController | null;
  /** Of the end that opened it: forgets the caller's signal. */
  release: () => void;
}

/** With so few streams open the frames of one are not held back for those of another. */
const LONE_STREAMS_MAX = 1;

/** Streams over one WebSocket. Only web-standard APIs: the same at every end. */
export class Link implements LinkEnd {
  readonly #options: LinkOptions;
  readonly #outbox: Outbox;
  readonly #streams: StreamTable<Stream>;
  #over: LinkError | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    const later = options.later ?? ((run) => queueMicrotask(run));
    this.#outbox = new Outbox({
      send: options.send,
      // What waits for the end of the turn is joined by the frames of other streams. Where there are none it need not.
      later: (run) => (this.#streams.size > LONE_STREAMS_MAX ? later(run) : queueMicrotask(run)),
      buffered: options.buffered ?? (() => 0),
      fail: (error) => this.close(reasonOf(error)),
    });
    const { side, openStreamsMax, lastOwnStream } = options;
    this.#streams = new StreamTable(side === "dialled" ? 1 : 2, openStreamsMax ?? OPEN_STREAMS_MAX, lastOwnStream);
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  request(open: unknown, body: LinkBody = null, signal?: AbortSignal): Promise<ReceivedAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw new LinkError("closed", this.#over.message, false);
      if (signal?.aborted) throw new LinkError("aborted", "the request was cancelled before it was sent", false);
      const id = this.#streams.nextId();
      const shape = this.#shape(body);
      this.#outbox.push({ type: "open", stream: id, head: open, body: shape });
      const abort = () => this.#giveUp(stream, new LinkError("aborted", "the request was cancelled"));
      const stream: Stream = {
        id,
        out: null,
        in: null,
        sent: shape !== "stream",
        received: false,
        answer: { resolve, reject },
        abort: null,
        release: () => signal?.removeEventListener("abort", abort),
      };
      this.#streams.opened(id, stream);
      signal?.addEventListener("abort", abort, { once: true });
      if (shape === "stream") this.#send(stream, body!);
    });
  }

  receive(message: Uint8Array): void {
    try {
      for (const frame of decodeMessage(message)) {
        if (this.#over) return;
        this.#take(frame);
      }
    } catch (error) {
      this.#end(error instanceof LinkError ? error : new LinkError("protocol", reasonOf(error)));
    }
  }

  /** To be called when the socket has sent something: what waited for it goes on. */
  drained(): void {
    this.#outbox.drained();
  }

  close(reason: string): void {
    // A socket that ends says so more than once, and an error is not cheap where thousands of links end together.
    if (!this.#over) this.#end(new LinkError("closed", reason));
  }

  #end(error: LinkError): void {
    if (this.#over) return;
    this.#over = error;
    this.#outbox.close();
    for (const stream of this.#streams.takeAll()) this.#tearDown(stream, error);
    this.#options.closed?.(error);
  }

  #take(frame: Frame): void {
    if (frame.type === "open") this.#opened(frame.stream, frame.head, frame.body);
    else if (frame.type === "reset") this.#wasReset(frame.stream, frame.reason);
    else {
      const stream = this.#streams.get(frame.stream);
      if (stream) this.#takeOf(stream, frame);
      else this.#streams.late(frame);
    }
  }

  #takeOf(stream: Stream, frame: Exclude<Frame, { type: "open" | "reset" }>): void {
    switch (frame.type) {
      case "head":
        this.#answered(stream, frame.head, frame.body);
        break;
      case "data":
        receiving(stream).push(frame.bytes);
        break;
      case "end":
        receiving(stream).end();
        stream.received = true;
        this.#finishIfDone(stream);
        break;
      case "credit":
        if (stream.out === null) throw outOfTurn("credit", stream);
        stream.out.credit(frame.bytes);
        break;
    }
  }

  #opened(id: number, open: unknown, shape: FrameBody): void {
    if (!this.#streams.admit(id)) {
      this.#outbox.push({ type: "reset", stream: id, reason: "too many requests are open on this link" });
      return;
    }
    const stream: Stream = {
      id,
      out: null,
      in: null,
      sent: false,
      received: shape !== "stream",
      answer: null,
      abort: new AbortController(),
      release: () => undefined,
    };
    this.#streams.opened(id, stream);
    void this.#serve(stream, open, this.#bodyOf(stream, shape), stream.abort!.signal);
  }

  async #serve(stream: Stream, open: unknown, body: ReceivedBody, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#options.handler(open, body, signal);
      if (this.#streams.get(stream.id) !== stream) {
        if (answer.body !== null && !(answer.body instanceof Uint8Array)) asFlow(answer.body).cancel(signal.reason);
        return;
      }
      const shape = this.#shape(answer.body);
      this.#outbox.push({ type: "head", stream: stream.id, head: answer.head, body: shape });
      if (shape === "stream") this.#send(stream, answer.body!);
      else this.#bodySent(stream);
    } catch (error) {
      this.#giveUp(stream, new LinkError("reset", reasonOf(error)));
    }
  }

  #answered(stream: Stream, head: unknown, shape: FrameBody): void {
    if (stream.answer === null) throw outOfTurn("an answer", stream);
    const { resolve } = stream.answer;
    const answer = { head: answerHead(head), body: this.#bodyOf(stream, shape) };
    stream.answer = null;
    stream.received = shape !== "stream";
    resolve(answer);
    this.#finishIfDone(stream);
  }

  /** How a body travels: whole where it is small and the socket drains, else as a stream. */
  #shape(body: LinkBody): FrameBody {
    if (body instanceof Uint8Array && body.byteLength <= WHOLE_BODY_BYTES_MAX && !this.#outbox.full) return body;
    return body === null ? null : "stream";
  }

  /** What is received, as the consumer sees it. */
  #bodyOf(stream: Stream, shape: FrameBody): ReceivedBody {
    if (shape !== "stream") return shape;
    stream.in = new Inbound({
      credit: (bytes) => this.#outbox.push({ type: "credit", stream: stream.id, bytes }),
      cancelled: () => {
        // A handler that wants no more of a request may still answer it; who wants no more of an answer is done.
        if (stream.abort === null) this.#giveUp(stream, new LinkError("aborted", "the answer was not read to its end"));
      },
    });
    return stream.in;
  }

  #send(stream: Stream, body: NonNullable<LinkBody>): void {
    stream.out = new Outbound(stream.id, this.#outbox, (error) => {
      if (error !== null) return this.#giveUp(stream, new LinkError("reset", reasonOf(error)));
      this.#outbox.push({ type: "end", stream: stream.id });
      this.#bodySent(stream);
    });
    try {
      stream.out.send(body instanceof Uint8Array ? body : asFlow(body));
    } catch (error) {
      // A web stream that somebody else reads already, say.
      this.#giveUp(stream, new LinkError("reset", reasonOf(error)));
    }
  }

  #bodySent(stream: Stream): void {
    stream.sent = true;
    // As in HTTP, an answer that is complete makes the rest of its request pointless.
    if (stream.abort !== null && !stream.received) {
      this.#giveUp(stream, new LinkError("reset", "the answer was complete before the request was"));
    } else this.#finishIfDone(stream);
  }

  #finishIfDone(stream: Stream): void {
    if (!stream.sent || !stream.received) return;
    stream.release();
    this.#streams.finished(stream.id);
  }

  /** Ends a stream from this side. What the other end has already sent of it is awaited, counted and dropped. */
  #giveUp(stream: Stream, error: LinkError): void {
    if (this.#streams.get(stream.id) !== stream) return;
    this.#streams.resetByUs(stream.id, stream.in?.window ?? null);
    this.#tearDown(stream, error);
    this.#outbox.push({ type: "reset", stream: stream.id, reason: error.message });
  }

  #wasReset(id: number, reason: string): void {
    const { stream, confirm } = this.#streams.resetByThem(id);
    if (confirm) this.#outbox.push({ type: "reset", stream: id, reason: "" });
    if (stream) this.#tearDown(stream, new LinkError("reset", reason));
  }

  #tearDown(stream: Stream, error: LinkError): void {
    stream.release();
    stream.out?.stop(error);
    // An answer that is here in full stays readable, whatever becomes of its request.
    if (!stream.received || stream.abort !== null) stream.in?.fail(error);
    stream.answer?.reject(error);
    stream.abort?.abort(error);
  }
}

/** @throws LinkError `protocol` when no body is being received. */
function receiving(stream: Stream): Inbound {
  if (stream.in === null || stream.received) throw outOfTurn("a piece of a body", stream);
  return stream.in;
}

function outOfTurn(what: string, stream: Stream): LinkError {
  return new LinkError("protocol", `the other end of the link sent ${what} out of turn on stream ${stream.id}`);
}
