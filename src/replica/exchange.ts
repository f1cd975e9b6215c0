import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { joined } from "../link/flows.ts";
import type { BodyFlow, BodySink, ReceivedAnswer } from "../link/types.ts";
import { answerHeaders } from "./answer-headers.ts";

/** An answer of known size up to this is handed over whole: it fits into one frame of a link with its head. */
const WHOLE_ANSWER_BYTES_MAX = 64 * 1024;

/** No connection to the replica came about: it has seen nothing of the request, whose body was not touched. */
export class Unreached extends Error {
  override name = "Unreached";
}

export type Over = () => void;

interface ExchangeOptions {
  /** The answer has no body whatever its headers say: it is one to HEAD. */
  bodiless: boolean;
  signal: AbortSignal;
  resolve: (answer: ReceivedAnswer) => void;
  reject: (error: unknown) => void;
  over: Over;
}

/** One request to a replica, as undici tells of it, and the body of its answer as it comes. */
export class Exchange implements Dispatcher.DispatchHandler, BodyFlow {
  readonly #options: ExchangeOptions;
  readonly #abort = () => this.#giveUp(this.#options.signal.reason);
  #controller: Dispatcher.DispatchController | null = null;
  #answered = false;
  #isOver = false;
  /** The head of an answer whose body is being gathered. */
  #head: ReceivedAnswer["head"] | null = null;
  /** What has come and was not handed over. */
  #chunks: Uint8Array[] = [];
  #sink: BodySink | null = null;
  #open = false;
  #end: { error: unknown } | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.#abort, { once: true });
    if (options.signal.aborted) this.#giveUp(options.signal.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(abortError());
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#isOver) return;
    const head = { status, headers: answerHeaders(headers) };
    const length = Number(headers["content-length"] ?? Number.NaN);
    const empty = this.#options.bodiless || status === 204 || status === 304;
    if (empty || length <= WHOLE_ANSWER_BYTES_MAX) this.#head = head;
    else this.#answer({ head, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#open) this.#deliver(bytes);
    else this.#chunks.push(bytes);
    if (!this.#open && this.#head === null) controller.pause();
  }

  onResponseEnd(): void {
    const head = this.#head;
    if (head === null) {
      this.#finish(null);
      return;
    }
    const bytes = this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.#answer({ head, body: bytes === 0 ? null : joined(this.#chunks, bytes) });
    this.#leave();
  }

  onResponseError(_controller: unknown, error: Error): void {
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
    else this.#controller?.resume();
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
  #finish(error: unknown): void {
    if (this.#isOver) return;
    this.#leave();
    if (!this.#answered) {
      const reached = this.#controller !== null;
      this.#options.reject(reached ? error : new Unreached(messageOf(error), { cause: error }));
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
    this.#leave();
    this.#chunks = [];
    this.#controller?.abort(abortError());
    if (!this.#answered) this.#options.reject(reason);
    else {
      this.#end = { error: reason };
      this.#close(reason);
    }
  }

  #leave(): void {
    this.#isOver = true;
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#options.over();
  }
}

function abortError(): Error {
  return new Error("the request was given up");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
