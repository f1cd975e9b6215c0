import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import { sendJson, sendText } from "./http.ts";
import type { RequestKind } from "./request.ts";
import { type Serving, sendError, serveText } from "./serve.ts";
import { loads, modelCard, modelInfo, serverInfo } from "./views.ts";

/** Where an engine is in its life. While `loading` its port is closed. */
export type Phase = "loading" | "starting" | "up" | "draining";

export interface ServerState extends Serving {
  clock: Clock;
  phase: Phase;
  /** Requests for text in progress. */
  inProgress: number;
  /** Called as each request for text begins. */
  onRequest(): void;
  /** SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION. */
  healthGenerates: boolean;
  /** Seconds since 1970. */
  startedAt: number;
}

const TEXT_ROUTES: Record<string, RequestKind> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completion",
  "/generate": "generate",
};

/** SGLang's health generates a token, and looks for it after this long at the earliest. */
const HEALTH_MS = 1_000;

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
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://engine");
  if (!isAllowed(state, request, pathname)) return sendJson(response, 401, { error: "Unauthorized" });
  const kind = Object.hasOwn(TEXT_ROUTES, pathname) ? TEXT_ROUTES[pathname] : undefined;
  if (kind) {
    if (request.method !== "POST") return sendJson(response, 405, { detail: "Method Not Allowed" });
    state.inProgress += 1;
    state.onRequest();
    try {
      return await serveText(kind, request, response, state);
    } finally {
      state.inProgress -= 1;
    }
  }
  if (request.method !== "GET") return sendJson(response, 404, { detail: "Not Found" });
  await view(state, pathname, searchParams, response);
}

async function view(state: ServerState, path: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
  const { settings, engine } = state;
  switch (path) {
    case "/health":
    case "/health_generate":
    case "/ping":
      return health(state, path, response);
    case "/ready":
      if (settings.version === "0.5.10") break;
      return sendText(response, state.phase === "up" ? 200 : 503, "");
    case "/server_info":
    case "/get_server_info":
      return sendJson(response, 200, serverInfo(settings, engine));
    case "/model_info":
    case "/get_model_info":
      return sendJson(response, 200, modelInfo(settings));
    case "/v1/models":
      return sendJson(response, 200, { object: "list", data: [modelCard(settings, state.startedAt)] });
    case "/v1/loads": {
      const include = (query.get("include") ?? "all").split(",");
      return sendJson(response, 200, loads(settings, engine, include, new Date().toISOString()));
    }
  }
  sendJson(response, 404, { detail: "Not Found" });
}

async function health(state: ServerState, path: string, response: ServerResponse): Promise<void> {
  if (state.phase !== "up") return sendText(response, 503, "");
  if (path === "/health_generate" || state.healthGenerates) await state.clock.sleep(HEALTH_MS);
  sendText(response, state.phase === "up" ? 200 : 503, "");
}

/** With a key everything needs it, but for what probes and scrapers ask. */
function isAllowed({ settings }: ServerState, request: IncomingMessage, path: string): boolean {
  const open = ["/health", "/metrics", ...(settings.version === "0.5.10" ? [] : ["/ready"])];
  if (settings.apiKey === null || open.some((prefix) => path.startsWith(prefix))) return true;
  return request.headers.authorization === `Bearer ${settings.apiKey}`;
}
