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
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
  });
}
