import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../control/log.ts";
import { asFlow } from "../link/flows.ts";
import type { BodyFlow, BodySink } from "../link/types.ts";
import { clientGone } from "../proxy/errors.ts";
import type { RequestPath } from "../proxy/request-path.ts";
import type { ProxyAnswer } from "../proxy/types.ts";
import { requestUrl } from "./request-url.ts";

/** Whether the request path serves this, rather than the API. */
export function isProxied(request: IncomingMessage): boolean {
  return request.url?.startsWith("/proxy/") ?? false;
}

/**
 * The request path on Node's own requests and responses: web ones would cost as much again as all the rest, and about
 * ten microseconds for each token of a stream.
 */
export function proxyListener(path: RequestPath, log: Log) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const cancel = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) cancel.abort(clientGone());
    });
    response.once("finish", () => dropTheRest(request));
    const url = requestUrl(request.url ?? "/", request.headers.host ?? "localhost");
    if (url === null) {
      badRequest(response);
      return;
    }
    path
      .serve({
        method: request.method ?? "GET",
        url,
        headers: pairsOf(request.rawHeaders),
        body: hasBody(request) ? new RequestFlow(request) : null,
        clientAddress: request.socket.remoteAddress ?? null,
        cancel,
      })
      .then((answer) => send(answer, response))
      .catch((error) => {
        log("error", "a request failed", {
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
        if (response.headersSent) response.destroy();
        else response.writeHead(500, { "content-type": "application/json" }).end(INTERNAL);
      });
  };
}

const INTERNAL = JSON.stringify({
  error: { message: "an error of the server; its log says more", type: "server_error", param: null, code: "internal" },
});

function badRequest(response: ServerResponse): void {
  response.writeHead(400, { "content-type": "text/plain" }).end("The address of this request cannot be read.\n");
}

/** Node's list of names and values in turn. */
function pairsOf(raw: string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]!.toLowerCase(), raw[i + 1]!]);
  return pairs;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function send({ status, headers, body }: ProxyAnswer, response: ServerResponse): void {
  const flow = body === null || body instanceof Uint8Array ? null : asFlow(body);
  if (response.destroyed) {
    flow?.cancel(clientGone());
    return;
  }
  response.writeHead(status, headers.flat());
  if (flow === null) {
    response.end(body);
    return;
  }
  let begun = false;
  flow.start({
    write: (bytes) => {
      begun = true;
      return response.write(bytes);
    },
    end: () => void response.end(),
    // What was promised cannot be kept: a connection that breaks is how HTTP says so.
    fail: () => void response.destroy(),
  });
  // Where nothing came at once the head does not wait for it.
  if (!begun && !response.writableEnded) response.flushHeaders();
  response.on("drain", () => flow.resume());
  response.once("close", () => flow.cancel(clientGone()));
}

/** How long the rest of a body may come whose request is answered already; then its connection is closed. */
const REST_MS_MAX = 1_000;

/** Reads what is left of a request, so that its connection can carry the next one, but not for long. */
function dropTheRest(request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), REST_MS_MAX);
  request.once("close", () => clearTimeout(timer));
}

/** A request's body as a flow. Nothing is read before it starts. */
class RequestFlow implements BodyFlow {
  readonly #request: IncomingMessage;
  #open = false;
  #cancelled = false;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  start(sink: BodySink): void {
    this.#open = true;
    const request = this.#request;
    request.on("data", (bytes: Buffer) => {
      if (this.#cancelled) return;
      // Set before, since the sink may resume while it writes.
      this.#open = false;
      if (sink.write(bytes)) this.#open = true;
      if (!this.#open) request.pause();
    });
    request.once("end", () => this.#cancelled || sink.end());
    const broken = () => this.#cancelled || request.readableEnded || sink.fail(clientGone());
    request.once("error", broken);
    request.once("close", broken);
  }

  resume(): void {
    this.#open = true;
    this.#request.resume();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#request.pause();
  }
}
