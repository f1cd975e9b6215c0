import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { EngineError } from "./errors.ts";
import { health } from "./health.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import { parseObject } from "./json.ts";
import type { Startup } from "./loading.ts";
import { loads, oldLoads } from "./loads-view.ts";
import type { RequestKind } from "./request.ts";
import { type Serving, sendError, serveText } from "./serve.ts";
import { modelCard, modelInfo, serverInfo } from "./views.ts";

/** Where an engine is in its life. While `loading` its port is closed. */
export type Phase = "loading" | "starting" | "up" | "unhealthy" | "draining";

export interface ServerState extends Serving {
  phase: Phase;
  /** Whether SIGTERM ends it whatever is in progress. */
  endsAtOnce: boolean;
  /** Requests for text in progress. */
  inProgress: number;
  /** Called as each request for text begins. */
  onRequest(): void;
  startup: Startup;
  /** Seconds since 1970. */
  startedAt: number;
  /** What `/metrics` says; null when it is off. */
  metrics: { type: string; text(): string } | null;
}

const TEXT_ROUTES: Record<string, RequestKind> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completion",
  "/generate": "generate",
};

/** uvicorn's keep-alive, as SGLang sets it. */
const KEEP_ALIVE_MS = 5_000;

/** The engine's HTTP server. */
export function engineServer(state: ServerState): Server {
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => {
      if (!response.destroyed) sendError("chat", response, error);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function answer(state: ServerState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://engine");
  if (!isAllowed(state, request, url.pathname)) return sendJson(response, 401, { error: "Unauthorized" });
  const kind = Object.hasOwn(TEXT_ROUTES, url.pathname) ? TEXT_ROUTES[url.pathname] : undefined;
  if (!kind) return answerOther(state, request, url, response);
  if (request.method !== "POST") return sendJson(response, 405, { detail: "Method Not Allowed" });
  state.inProgress += 1;
  state.onRequest();
  try {
    return await serveText(kind, request, response, state);
  } finally {
    state.inProgress -= 1;
    state.telemetry.answered(url.pathname, "POST", response.statusCode);
  }
}

async function answerOther(state: ServerState, request: IncomingMessage, url: URL, response: ServerResponse) {
  if (url.pathname === "/flush_cache") {
    if (state.engine.flushCache()) return sendText(response, 200, "Cache flushed.\n");
    return sendText(response, 400, "The cache is not flushed: requests are running or waiting.\n");
  }
  if (request.method === "POST" && url.pathname === "/abort_request") return abortRequest(state, request, response);
  if (request.method !== "GET") return sendJson(response, 404, { detail: "Not Found" });
  await view(state, url, response);
}

async function view(state: ServerState, { pathname: path, searchParams: query }: URL, response: ServerResponse) {
  const { settings, engine } = state;
  const isOld = settings.version === "0.5.10";
  const timestamp = new Date().toISOString();
  if (path === "/health" || path === "/health_generate" || path === "/ping") return health(state, path, response);
  if (path === "/ready" && !isOld) return sendText(response, state.phase === "up" ? 200 : 503, "");
  if (path === "/metrics" && state.metrics) return sendText(response, 200, state.metrics.text(), state.metrics.type);
  if (path === "/server_info" || path === "/get_server_info") {
    // The original asks its scheduler, which no longer answers.
    if (engine.isHung) return;
    return sendJson(response, 200, serverInfo(settings, engine, state.startup));
  }
  if (path === "/model_info" || path === "/get_model_info") return sendJson(response, 200, modelInfo(settings));
  if (path === "/v1/models") {
    return sendJson(response, 200, { object: "list", data: [modelCard(settings, state.startedAt)] });
  }
  if (path.startsWith("/v1/models/")) return sendModel(state, decodeURIComponent(path.slice(11)), response);
  if (path === "/get_load" && isOld) return sendJson(response, 200, oldLoads(engine, state.clock.now()));
  if (path === "/v1/loads") {
    if (engine.isHung && isOld) return;
    const include = (query.get("include") ?? "all").split(",");
    const rank = query.get("dp_rank");
    return sendJson(response, 200, loads(settings, engine, include, rank === null ? null : Number(rank), timestamp));
  }
  sendJson(response, 404, { detail: "Not Found" });
}

function sendModel(state: ServerState, id: string, response: ServerResponse): void {
  const message = `The model '${id}' does not exist`;
  const error = { message, type: "invalid_request_error", param: "model", code: "model_not_found" };
  if (id === state.settings.servedModelName) sendJson(response, 200, modelCard(state.settings, state.startedAt));
  else sendJson(response, 404, { error });
}

/** An id that nobody has is no error. */
async function abortRequest(state: ServerState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { rid, abort_all } = parseObject(await readBody(request));
  for (const [id, controller] of state.open) {
    if (abort_all === true || id === rid) controller.abort(new EngineError(500, "the request was aborted"));
  }
  sendText(response, 200, "");
}

/** With a key everything needs it, but for what probes and scrapers ask. */
function isAllowed({ settings }: ServerState, request: IncomingMessage, path: string): boolean {
  const open = ["/health", "/metrics", ...(settings.version === "0.5.10" ? [] : ["/ready"])];
  if (settings.apiKey === null || open.some((prefix) => path.startsWith(prefix))) return true;
  return request.headers.authorization === `Bearer ${settings.apiKey}`;
}
