/**
 * Answers with the log lines that `open` yields, and ends their source when the reader leaves.
 * @param release gives back the stream's place; called once the body has ended, failed or been left
 * @param reader aborts when the request is cut off before its answer began
 */
export async function logStream(
  release: () => void,
  reader: AbortSignal,
  open: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>,
): Promise<Response> {
  const source = new AbortController();
  const leave = () => source.abort();
  reader.addEventListener("abort", leave, { once: true });
  const end = () => {
    reader.removeEventListener("abort", leave);
    release();
  };
  try {
    const lines = await open(source.signal);
    const headers = { "Content-Type": "application/x-ndjson; charset=utf-8" };
    return new Response(untilLeft(lines, source, end), { headers });
  } catch (error) {
    end();
    throw error;
  }
}

function untilLeft(body: ReadableStream<Uint8Array>, source: AbortController, end: () => void) {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    async cancel(reason) {
      source.abort();
      end();
      await reader.cancel(reason);
    },
  });
}
