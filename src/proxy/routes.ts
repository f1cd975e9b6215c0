import { type Context, Hono } from "hono";
import { responseOf } from "./answer.ts";
import { KeptBodies, modelOf, type RequestBody, takeBody } from "./body.ts";
import { Directory } from "./directory.ts";
import { Refusal, refusalResponse } from "./errors.ts";
import { type Forwarder, forward, headersTooLarge } from "./forward.ts";
import { bearerOf, requestHeaders, requestIdOf } from "./headers.ts";
import { IdleTimer } from "./idle.ts";
import { HEADERS_MAX, IDLE_MS_MAX } from "./limits.ts";
import { Load } from "./load.ts";
import { entryFor, modelList, modelPath } from "./models.ts";
import { allowedAtRouter, canonicalPath, servicePath } from "./paths.ts";
import type { ProxySource, ServiceEntry } from "./types.ts";

export interface ProxyOptions {
  /** Milliseconds of a clock that never goes back; `performance.now` unless a test has its own. */
  now?: () => number;
  idleMsMax?: number;
  /** The client's address as the entry's platform knows it; it goes to the replica as `x-forwarded-for`. */
  clientAddress?: (c: Context) => string | null;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** One request, from its arrival to the last byte of its answer. */
interface Exchange {
  request: Request;
  url: URL;
  id: string;
  clientAddress: string | null;
  /** Aborted with a Refusal: the client is gone or nothing moves. */
  controller: AbortController;
  moved: () => void;
  /** To be undone when the exchange is over. */
  held: (() => void)[];
}

/**
 * The request path, to be mounted at `/proxy`: `services/<project>/<service>/...` and `models/<project>/...`. What the
 * proxy itself has to say is OpenAI-style JSON.
 */
export function proxyRoutes(source: ProxySource, options: ProxyOptions = {}): Hono {
  const now = options.now ?? (() => performance.now());
  const directory = new Directory(source, now);
  const kept = new KeptBodies();
  const forwarder: Forwarder = { directory, load: new Load(), linkOf: (project, host) => source.link(project, host) };

  const serve = async (c: Context, answer: (exchange: Exchange) => Promise<Response>): Promise<Response> => {
    const exchange = begin(c.req.raw, options.clientAddress?.(c) ?? null, options.idleMsMax ?? IDLE_MS_MAX, now);
    try {
      refuseWhatIsNotCarried(exchange.request);
      return await answer(exchange);
    } catch (error) {
      end(exchange);
      // A client that goes away breaks the reading of its body: what broke it says more than how.
      const refusal = exchange.controller.signal.aborted ? exchange.controller.signal.reason : error;
      if (!(refusal instanceof Refusal)) throw error;
      return refusalResponse(refusal, exchange.id, exchange.request.method);
    }
  };

  const pass = async (exchange: Exchange, entry: ServiceEntry, path: string, prefix: string, body: RequestBody) => {
    const { request, url, id, clientAddress, controller } = exchange;
    if (entry.router && !allowedAtRouter(path)) {
      throw new Refusal(
        403,
        "path_not_allowed",
        `${entry.service} is behind a router: only /v1/..., /generate and /chat/completions are served, not ${path}`,
      );
    }
    const contentLength = body.kind === "stream" ? body.contentLength : null;
    const headers = requestHeaders(request.headers, { url, prefix, requestId: id, clientAddress, contentLength });
    if (headers.length > HEADERS_MAX) throw headersTooLarge();
    const call = { entry, method: request.method, path: path + url.search, headers, body, signal: controller.signal };
    const { answer, release } = await forward(call, forwarder);
    exchange.held.push(release);
    return responseOf(answer, {
      method: request.method,
      requestId: id,
      moved: exchange.moved,
      over: () => end(exchange),
      givenUp: () => (controller.signal.aborted ? controller.signal.reason : null),
    });
  };

  const take = async (exchange: Exchange): Promise<RequestBody> => {
    const taken = takeBody(exchange.request, kept, exchange.moved);
    // Also when the client goes away first: what was reserved is given back once reading has come to its end.
    exchange.held.push(
      () => void taken.then(({ reservedBytes }) => kept.release(reservedBytes)).catch(() => undefined),
    );
    const { body } = await orAborted(taken, exchange.controller.signal);
    return body;
  };

  const toService = async (exchange: Exchange): Promise<Response> => {
    const found = servicePath(exchange.url.pathname);
    const path = found && canonicalPath(found.path);
    if (!found) throw noRoute();
    if (!path) throw new Refusal(400, "invalid_path", "the path has a broken escape or characters that need one");
    const entry = await directory.service(found.project, found.service);
    if (!entry || entry.auth) await mustBeAllowed(directory, found.project, exchange.request);
    if (!entry) {
      throw new Refusal(404, "service_not_found", `project ${found.project} has no service ${found.service}`);
    }
    exchange.held.push(forwarder.load.enter(entry));
    const prefix = `/proxy/services/${found.project}/${found.service}`;
    return pass(exchange, entry, path, prefix, await take(exchange));
  };

  const toModel = async (exchange: Exchange): Promise<Response> => {
    const found = modelPath(exchange.url.pathname);
    if (!found) throw noRoute();
    const { project, operation } = found;
    const entries = await directory.models(project);
    const allowed = await directory.mayCall(project, bearerOf(exchange.request.headers));
    const open = allowed ? entries : entries.filter((entry) => !entry.auth);
    if (!allowed && open.length === 0) throw unauthorized(project, exchange.request);
    if (operation === "models") {
      mustUse(["GET", "HEAD"], exchange.request.method);
      end(exchange);
      return Response.json(modelList(open), { headers: { "x-request-id": exchange.id } });
    }
    mustUse(["POST"], exchange.request.method);
    const body = await take(exchange);
    const entry = entryFor(modelOf(body), open);
    exchange.held.push(forwarder.load.enter(entry));
    const path = canonicalPath(`${entry.model!.prefix}/${operation}`);
    if (!path) throw new Refusal(502, "invalid_prefix", `the model prefix of ${entry.service} is not a path`);
    return pass(exchange, entry, path, `/proxy/models/${project}`, body);
  };

  return new Hono()
    .all("/services/*", (c) => serve(c, toService))
    .all("/models/*", (c) => serve(c, toModel))
    .all("*", (c) => serve(c, () => Promise.reject(noRoute())));
}

function begin(request: Request, clientAddress: string | null, idleMsMax: number, now: () => number): Exchange {
  const controller = new AbortController();
  const idle = new IdleTimer(idleMsMax, now, () =>
    controller.abort(new Refusal(504, "idle", `nothing came from the replica for ${Math.round(idleMsMax / 1000)} s`)),
  );
  const gone = () => controller.abort(new Refusal(499, "client_gone", "the client has closed its connection"));
  request.signal.addEventListener("abort", gone, { once: true });
  return {
    request,
    url: new URL(request.url),
    id: requestIdOf(request.headers),
    clientAddress,
    controller,
    moved: () => idle.touch(),
    held: [() => idle.stop(), () => request.signal.removeEventListener("abort", gone)],
  };
}

/** Gives back what an exchange holds. Harmless when repeated. */
function end(exchange: Exchange): void {
  for (const release of exchange.held.splice(0)) release();
}

function refuseWhatIsNotCarried(request: Request): void {
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
    throw new Refusal(
      501,
      "websocket_not_supported",
      "WebSockets do not go through the proxy; use HTTP, streamed with server-sent events",
    );
  }
  mustUse(METHODS, request.method);
}

function mustUse(methods: string[], method: string): void {
  if (methods.includes(method)) return;
  throw new Refusal(405, "method_not_allowed", `use ${methods.join(" or ")} here, not ${method}`);
}

async function mustBeAllowed(directory: Directory, project: string, request: Request): Promise<void> {
  if (!(await directory.mayCall(project, bearerOf(request.headers)))) throw unauthorized(project, request);
}

function unauthorized(project: string, request: Request): Refusal {
  if (request.headers.has("authorization")) {
    return new Refusal(401, "invalid_token", `this token may not call the services of project ${project}`);
  }
  return new Refusal(401, "token_missing", "a token is needed: send the header `Authorization: Bearer <token>`");
}

function noRoute(): Refusal {
  return new Refusal(
    404,
    "route_not_found",
    "use /proxy/services/<project>/<service>/... or /proxy/models/<project>/v1/chat/completions (also completions, embeddings, models)",
  );
}

/** Waits for something that cannot be told to stop, until the signal says so. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
