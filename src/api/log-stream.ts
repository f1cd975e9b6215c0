import type { ErrorBody } from "./error-body.ts";

/** What it says where the way to one of the hosts is lost: behind its own line end, since a line may be cut off. */
const BROKEN_OFF: ErrorBody = {
  error: { code: "unavailable", message: "The log breaks off here: the connection to a host was lost. Ask again." },
};

/**
 * Answers with the log lines that `open` yields, and ends their source when the reader leaves.
 * A source that breaks off ends them with a refusal as a line of its own, since the answer has long begun.
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
      } catch {
        controller.enqueue(new TextEncoder().encode(`\n${JSON.stringify(BROKEN_OFF)}\n`));
      }
      controller.close();
      end();
    },
    async cancel(reason) {
      source.abort();
      end();
      await reader.cancel(reason);
    },
  });
}
