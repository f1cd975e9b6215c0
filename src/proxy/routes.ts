import { type Context, Hono } from "hono";
import { flowOf, streamOf, wholeFlow } from "../link/flows.ts";
import { WHOLE_BODY_BYTES_MAX } from "../link/limits.ts";
import type { BodyFlow, LinkBody } from "../link/types.ts";
import { clientGone } from "./errors.ts";
import type { RequestPath } from "./request-path.ts";

/** A body that its replica has compressed is so already; workerd would compress it once more. Others do not know this. */
const AS_IT_IS = { encodeBody: "manual" };

/**
 * The request path for platforms whose requests and responses are the web's, to be mounted at `/proxy`. (Node's own
 * are served in src/node, at half the cost.)
 * @param clientAddress the client's address as the platform knows it
 */
export function proxyRoutes(path: RequestPath, clientAddress: (c: Context) => string | null = () => null): Hono {
  return new Hono().all("*", async (c) => {
    const request = c.req.raw;
    const cancel = new AbortController();
    request.signal.addEventListener("abort", () => cancel.abort(clientGone()), { once: true });
    const { status, headers, body } = await path.serve({
      method: request.method,
      url: new URL(request.url),
      headers: [...request.headers],
      body: bodyOf(request),
      clientAddress: clientAddress(c),
      cancel,
    });
    return new Response(asBodyInit(body), { status, headers, ...AS_IT_IS });
  });
}

/** A small body is read in one piece, since each piece costs a turn of the platform. */
function bodyOf(request: Request): BodyFlow | null {
  if (request.body === null) return null;
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  return length <= WHOLE_BODY_BYTES_MAX ? wholeFlow(() => request.arrayBuffer()) : flowOf(request.body);
}

function asBodyInit(body: LinkBody): BodyInit | null {
  if (body === null || body instanceof ReadableStream) return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : streamOf(body);
}
