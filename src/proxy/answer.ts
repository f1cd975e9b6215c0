import type { ReceivedAnswer } from "../link/types.ts";
import { invalidAnswer } from "./errors.ts";
import { responseHeaders } from "./headers.ts";
import { PassedOn, promisedBy } from "./passed-on.ts";
import type { ProxyAnswer } from "./types.ts";
import type { Watch } from "./watch.ts";

interface AnswerOptions {
  method: string;
  requestId: string;
  watch: Watch;
  /** Told when the answer has ended, however; harmless when repeated. */
  over: () => void;
}

/** Statuses whose answers have no body. */
const BODILESS = new Set([204, 205, 304]);

/**
 * An answer of a replica as it goes to the client. A body that comes in pieces goes through piece by piece, as fast as
 * the client reads.
 * @throws Refusal 502 for an answer that HTTP does not allow.
 */
export function answerOf({ head, body }: ReceivedAnswer, options: AnswerOptions): ProxyAnswer {
  const { status } = head;
  const headers = headersOf(head.headers, options.requestId);
  if (status < 200) throw invalidAnswer(`status ${status}`);
  const promised = promisedBy(headers);
  const others = headers.filter(([name]) => name !== "content-length");
  if (options.method === "HEAD" || BODILESS.has(status) || body === null) {
    if (body !== null && !(body instanceof Uint8Array)) body.cancel(new Error("an answer without a body"));
    options.over();
    return { status, headers: options.method === "HEAD" ? headers : others, body: null };
  }
  if (body instanceof Uint8Array) {
    options.over();
    return { status, headers: [...others, ["content-length", String(body.byteLength)]], body };
  }
  if (!body.passOn) return { status, headers, body: new PassedOn(body, promised, options.watch, options.over) };
  options.watch.stop();
  return { status, headers, body: body.passOn(options.over) };
}

function headersOf(pairs: [string, string][], requestId: string): [string, string][] {
  try {
    return responseHeaders(pairs, requestId);
  } catch {
    throw invalidAnswer("headers");
  }
}
