/** One server-sent event. `data` is one line. */
export interface SseEvent {
  id?: string;
  event?: string;
  data: string;
}

export interface SseOptions {
  /** A comment is sent when nothing else was for so long. */
  heartbeatMs: number;
  /** The last event of a stream that `events` ended by throwing. */
  failure(error: unknown): SseEvent;
  /** The reader left, or the events ended. */
  onEnd(): void;
}

/** How long a reader waits before it comes back, unless it knows better. */
const RETRY_MS = 1_000;

const encoder = new TextEncoder();

/**
 * The body of a `text/event-stream`. An event is asked for only when the reader has taken the one before, so a slow
 * reader holds back its own source and fills no buffer. The first bytes are sent at once: a reader sees that it is
 * connected before anything happens.
 */
export function sseBody(events: AsyncIterable<SseEvent>, options: SseOptions): ReadableStream<Uint8Array> {
  const iterator = events[Symbol.asyncIterator]();
  let waiting: Promise<IteratorResult<SseEvent>> | null = null;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
    },
    async pull(controller) {
      try {
        waiting ??= iterator.next();
        const result = await withinMs(waiting, options.heartbeatMs);
        if (result === "late") {
          controller.enqueue(encoder.encode(": still here\n\n"));
          return;
        }
        waiting = null;
        if (!result.done) {
          controller.enqueue(encoder.encode(format(result.value)));
          return;
        }
      } catch (error) {
        controller.enqueue(encoder.encode(format(options.failure(error))));
      }
      controller.close();
      options.onEnd();
    },
    cancel() {
      options.onEnd();
      // The source may be waiting for its next event; it ends by the signal that onEnd aborts.
      iterator.return?.().catch(() => {});
    },
  });
}

function format(event: SseEvent): string {
  const id = event.id === undefined ? "" : `id: ${event.id}\n`;
  const name = event.event === undefined ? "" : `event: ${event.event}\n`;
  return `${name}${id}data: ${event.data}\n\n`;
}

async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, ms, "late");
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
