import type { LinkAnswer } from "../link/types.ts";
import { errorBody, Refusal } from "./errors.ts";
import { responseHeaders } from "./headers.ts";

interface AnswerOptions {
  method: string;
  requestId: string;
  /** Told whenever a piece goes through. */
  moved: () => void;
  /** Told once when the answer has ended, however. */
  over: () => void;
  /** Why our own side gave the request up, if it did. */
  givenUp: () => Refusal | null;
}

/** Statuses whose responses have no body. */
const BODILESS = new Set([204, 205, 304]);

/**
 * An answer from a link as a response. A streamed body goes through piece by piece, as fast as the client reads.
 * @throws Refusal 502 for an answer that HTTP does not allow.
 */
export function responseOf({ head, body }: LinkAnswer, options: AnswerOptions): Response {
  const { status } = head;
  const headers = headersOf(head.headers, options.requestId);
  if (status < 200) throw invalid(`status ${status}`);
  if (options.method === "HEAD" || BODILESS.has(status) || body === null) {
    // Not wanted, so whether cancelling it succeeds is of no interest.
    if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
    options.over();
    return new Response(null, { status, headers });
  }
  if (body instanceof Uint8Array) {
    headers.set("content-length", String(body.byteLength));
    options.over();
    return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
  }
  const events = headers.get("content-type")?.startsWith("text/event-stream") && !headers.has("content-encoding");
  return new Response(passedOn(body, events ?? false, options), { status, headers });
}

function headersOf(pairs: [string, string][], requestId: string): Headers {
  try {
    return responseHeaders(pairs, requestId);
  } catch {
    throw invalid("headers");
  }
}

function invalid(what: string): Refusal {
  return new Refusal(502, "invalid_answer", `the replica answered with ${what} that cannot be passed on`);
}

function passedOn(
  body: ReadableStream<Uint8Array>,
  events: boolean,
  { moved, over, givenUp }: AnswerOptions,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          moved();
          if (!done) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          over();
          const cause = givenUp() ?? cut();
          if (!events) return controller.error(error);
          // Status and head are long gone: an event is the one thing left that a client reads as an error.
          controller.enqueue(new TextEncoder().encode(`\n\ndata: ${errorBody(cause)}\n\n`));
          controller.close();
        }
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function cut(): Refusal {
  return new Refusal(502, "stream_cut", "the connection to the replica was lost in the middle of its answer");
}
