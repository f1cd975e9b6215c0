import type { Socket } from "node:net";
import { joined } from "../link/flows.ts";
import type { BodyFlow, BodySink, ReceivedAnswer, ReceivedBody } from "../link/types.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { ParsedHead } from "./answer-parser.ts";
import type { Carried, Connection } from "./connection.ts";
import type { Framing } from "./request-head.ts";
import { Upload } from "./upload.ts";

/** An answer of known size up to this is handed over whole: it fits into one frame of a link with its head. */
const WHOLE_ANSWER_BYTES_MAX = 64 * 1024;

/** A whole body up to this size is copied behind its head, since one write costs more than that. */
const JOINED_BODY_BYTES_MAX = 16 * 1024;

/** No connection to the replica came about: it has seen nothing of the request, whose body was not touched. */
export class Unreached extends Error {
  override name = "Unreached";
}

export type Over = () => void;

export interface ExchangeOptions {
  /** The request's head as it goes over the wire, one byte a character. */
  head: string;
  framing: Framing;
  body: ReceivedBody;
  /** The answer has no body whatever its headers say: it is one to HEAD. */
  bodiless: boolean;
  /** Not aborted yet. */
  signal: AbortSignal;
  resolve: (answer: ReceivedAnswer) => void;
  reject: (error: unknown) => void;
  over: Over;
}

/** One request to a replica, and the body of its answer as it comes. */
export class Exchange implements Carried, BodyFlow {
  readonly #options: ExchangeOptions;
  readonly #abort = () => this.#giveUp(this.#options.signal.reason);
  #connection: Connection | null = null;
  #upload: Upload | null = null;
  #answered = false;
  #isOver = false;
  /** The head of an answer whose body is being gathered. */
  #head: ReceivedAnswer["head"] | null = null;
  /** What has come and was not handed over. */
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #sink: BodySink | null = null;
  #open = false;
  #end: { error: unknown } | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.#abort, { once: true });
  }

  get bodiless(): boolean {
    return this.#options.bodiless;
  }

  begin(connection: Connection, socket: Socket): boolean {
    if (this.#isOver) return false;
    this.#connection = connection;
    const { head, body, framing } = this.#options;
    if (body === null) socket.write(head, "latin1");
    else if (!(body instanceof Uint8Array)) {
      socket.write(head, "latin1");
      this.#upload = new Upload(body, { framing, socket, failed: (error) => this.#giveUp(error) });
      this.#upload.start();
    } else if (body.byteLength <= JOINED_BODY_BYTES_MAX) socket.write(withHead(head, body));
    else {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
    return true;
  }

  drained(): void {
    this.#upload?.drained();
  }

  head({ status, headers, length }: ParsedHead): void {
    if (this.#isOver) return;
    const head = { status, headers: answerHeaders(headers) };
    if (length !== null && length <= WHOLE_ANSWER_BYTES_MAX) this.#head = head;
    else this.#answer({ head, body: this });
  }

  data(bytes: Buffer): void {
    if (this.#isOver) return;
    const piece = Buffer.from(bytes);
    if (this.#open) this.#deliver(piece);
    else {
      this.#chunks.push(piece);
      this.#bytes += piece.byteLength;
    }
    if (!this.#open && this.#head === null) this.#connection?.pause();
  }

  end(): boolean {
    const uploaded = this.#upload?.over ?? true;
    // As in HTTP, an answer that is complete makes the rest of its request pointless.
    this.#upload?.cancel(new Error("the answer was complete before the request was"));
    const head = this.#head;
    if (head === null) this.#finish(null);
    else {
      this.#answer({ head, body: this.#bytes === 0 ? null : joined(this.#chunks, this.#bytes) });
      this.#leave();
    }
    return uploaded;
  }

  fail(error: Error): void {
    this.#upload?.cancel(error);
    this.#finish(error);
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    this.#open = true;
    while (this.#open && this.#chunks.length > 0) this.#deliver(this.#chunks.shift()!);
    if (!this.#open) return;
    if (this.#end !== null) this.#close(this.#end.error);
    else this.#connection?.resume();
  }

  cancel(reason: unknown): void {
    this.#sink = null;
    this.#giveUp(reason);
  }

  #deliver(bytes: Uint8Array): void {
    // Set before, since the sink may resume while it writes.
    this.#open = false;
    if (this.#sink?.write(bytes)) this.#open = true;
  }

  #answer(answer: ReceivedAnswer): void {
    this.#answered = true;
    this.#options.resolve(answer);
  }

  /** The exchange has ended; what of it waits here is still handed over. */
  #finish(error: Error | null): void {
    if (this.#isOver) return;
    const reached = this.#connection !== null;
    this.#leave();
    if (!this.#answered) {
      this.#options.reject(reached ? error : new Unreached(error?.message ?? "", { cause: error }));
      return;
    }
    this.#end = { error };
    if (error !== null || this.#chunks.length === 0) this.#close(error);
  }

  #close(error: unknown): void {
    const sink = this.#sink;
    if (sink === null) return;
    this.#sink = null;
    this.#chunks = [];
    if (error === null) sink.end();
    else sink.fail(error);
  }

  #giveUp(reason: unknown): void {
    if (this.#isOver) return;
    const connection = this.#connection;
    this.#leave();
    this.#chunks = [];
    this.#upload?.cancel(reason);
    connection?.abandon();
    if (!this.#answered) this.#options.reject(reason);
    else {
      this.#end = { error: reason };
      this.#close(reason);
    }
  }

  /** The connection is somebody else's now, or nobody's. */
  #leave(): void {
    this.#isOver = true;
    this.#connection = null;
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#options.over();
  }
}

function withHead(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength);
  bytes.write(head, "latin1");
  bytes.set(body, head.length);
  return bytes;
}
