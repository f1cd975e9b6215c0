/** Values one JSON a line. The source ends when the reader leaves. */
export function jsonLines<T>(open: (signal: AbortSignal) => AsyncIterable<T>): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const values = open(left.signal)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      type: "bytes",
      async pull(controller) {
        const { done, value } = await values.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      async cancel() {
        left.abort();
        await values.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Such a stream read back. Leaving it early cancels it. */
export async function* linesOf<T>(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<T> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let rest = "";
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as T;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
