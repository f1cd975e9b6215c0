import type { Client } from "@libsql/client";
import { createClient } from "@libsql/client/web";

/** A database that has not answered by then is given up: the fate of what was asked is not known. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * A client of a libSQL server over HTTP, the same on Node and on Workers. It holds no connection and asks nothing by
 * itself: every call is one request.
 *
 * @param url `libsql://`, `https://` or `http://`
 * @param authToken null where the server wants none
 * @throws Error for people when the URL is none of these
 */
export function remoteClient(url: string, authToken: string | null): Client {
  return createClient({
    url,
    ...(authToken === null ? {} : { authToken }),
    fetch: answerOf,
  });
}

/**
 * Waits for a whole answer so long, and leaves no timer behind: on Workers one that is set keeps its object from being put
 * away.
 */
async function answerOf(request: Request): Promise<Response> {
  const given = new AbortController();
  const late = new DOMException(`the database did not answer within ${ANSWER_TIMEOUT_MS / 1_000} s`, "TimeoutError");
  const timer = setTimeout(() => given.abort(late), ANSWER_TIMEOUT_MS);
  try {
    const { status, statusText, headers, body } = await fetch(request, { signal: given.signal });
    const bytes = body === null ? null : await new Response(body).arrayBuffer();
    return new Response(bytes, { status, statusText, headers });
  } finally {
    clearTimeout(timer);
  }
}
