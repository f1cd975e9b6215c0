import type { BodyFlow, BodySink, ReceivedBody } from "./types.ts";

/** Translations between flows, which are what a link works with, and web streams, which are what platforms have. */

/** A web stream as a flow. It is left alone until the flow starts. */
export function flowOf(stream: ReadableStream<Uint8Array>): BodyFlow {
  return new StreamFlow(stream);
}

class StreamFlow implements BodyFlow {
  readonly #stream: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #sink: BodySink | null = null;
  #state: "waiting" | "pumping" | "over" = "waiting";
  #open = true;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#stream = stream;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#reader = this.#stream.getReader();
    this.resume();
  }

  resume(): void {
    this.#open = true;
    if (this.#state === "waiting" && this.#reader && this.#sink) void this.#pump(this.#reader, this.#sink);
  }

  cancel(reason: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    // The source may fail while it is cancelled; nobody is left to tell.
    (this.#reader ?? this.#stream).cancel(reason).catch(() => undefined);
  }

  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>, sink: BodySink): Promise<void> {
    this.#state = "pumping";
    try {
      while (this.#open) {
        const { done, value } = await reader.read();
        if (this.#isOver()) return;
        if (done) {
          this.#state = "over";
          return sink.end();
        }
        if (!(value instanceof Uint8Array)) throw new TypeError("a body's chunks must be bytes (Uint8Array)");
        // Set before, since the sink may resume while it writes.
        this.#open = false;
        if (sink.write(value)) this.#open = true;
        if (this.#isOver()) return;
      }
      this.#state = "waiting";
    } catch (error) {
      if (this.#isOver()) return;
      this.cancel(error);
      sink.fail(error);
    }
  }

  #isOver(): boolean {
    return this.#state === "over";
  }
}

/** A body that is read at once, as a flow of one piece. @param read begins to read it */
export function wholeFlow(read: () => Promise<ArrayBuffer>): BodyFlow {
  let cancelled = false;
  return {
    start(sink) {
      read().then(
        (bytes) => {
          if (cancelled) return;
          sink.write(new Uint8Array(bytes));
          if (!cancelled) sink.end();
        },
        (error) => cancelled || sink.fail(error),
      );
    },
    resume: () => undefined,
    cancel() {
      cancelled = true;
    },
  };
}

/** A body that can be sent, as a flow. */
export function asFlow(body: BodyFlow | ReadableStream<Uint8Array>): BodyFlow {
  return body instanceof ReadableStream ? flowOf(body) : body;
}

/**
 * A received body as a web stream, which takes a piece whenever it is asked for one.
 * @param aheadBytes it takes so much before it is asked: pieces that came meanwhile then leave together
 */
export function streamOf(body: ReceivedBody, aheadBytes = 0): ReadableStream<Uint8Array> {
  if (body === null || body instanceof Uint8Array) return wholeStream(body);
  let started = false;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (started) return body.resume();
        started = true;
        body.start({
          write(bytes) {
            controller.enqueue(bytes);
            return controller.desiredSize !== null && controller.desiredSize > 0;
          },
          end: () => controller.close(),
          fail: (error) => controller.error(error),
        });
      },
      cancel: (reason) => body.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  );
}

function wholeStream(bytes: Uint8Array | null): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (bytes !== null && bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/**
 * All bytes of a received body.
 * @throws RangeError when it has more than `max`; whatever breaks it off.
 */
export function wholeOf(body: ReceivedBody, max: number): Promise<Uint8Array> {
  if (body === null) return Promise.resolve(new Uint8Array(0));
  if (body instanceof Uint8Array) {
    return body.byteLength <= max ? Promise.resolve(body) : Promise.reject(tooLarge(max));
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    body.start({
      write(chunk) {
        bytes += chunk.byteLength;
        if (bytes <= max) return chunks.push(chunk) > 0;
        body.cancel(tooLarge(max));
        reject(tooLarge(max));
        return false;
      },
      end: () => resolve(joined(chunks, bytes)),
      fail: reject,
    });
  });
}

function tooLarge(max: number): RangeError {
  return new RangeError(`a body of more than ${max} bytes`);
}

/** One piece stays as it is. @param bytes of all chunks together */
export function joined(chunks: Uint8Array[], bytes: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
