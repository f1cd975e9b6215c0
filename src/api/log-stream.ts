import type { LinkBody } from "../link/types.ts";

/**
 * Answers with the log lines that `open` yields, and ends their source when the reader leaves.
 * @param release gives back the stream's place; called once the body has ended, failed or been left
 * @param reader aborts when the request is cut off before its answer began
 */
export async function logStream(
  release: () => void,
  reader: AbortSignal,
  open: (signal: AbortSignal) => Promise<LinkBody>,
): Promise<Response> {
  const source = new AbortController();
  const leave = () => source.abort();
  reader.addEventListener("abort", leave, { once: true });
  const end = () => {
    reader.removeEventListener("abort", leave);
    release();
  };
  let body: LinkBody;
  try {
    body = await open(source.signal);
  } catch (error) {
    end();
    throw error;
  }
  const headers = { "Content-Type": "application/x-ndjson; charset=utf-8" };
  if (!(body instanceof ReadableStream)) {
    end();
    return new Response(body === null ? null : new Uint8Array(body), { headers });
  }
  return new Response(untilLeft(body, source, end), { headers });
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
