import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type Log, reasonOf } from "../log.ts";
import { EXPOSITION_TYPE, expose } from "./exposition.ts";
import { agentMetrics } from "./metrics.ts";
import { statusText } from "./status-text.ts";
import type { AgentView } from "./view.ts";

/** A person and a scraper or two ask; more at a time are not let in. */
const CONNECTIONS_MAX = 16;
/** Nobody has reason to be slow on one machine. */
const REQUEST_MS_MAX = 5_000;

/** Where an agent of this data folder listens, on its own machine alone. */
export function localSocketPath(dataDir: string): string {
  return join(dataDir, "local", "agent.sock");
}

/**
 * Answers whoever the agent runs as, on this machine, over a Unix socket: `/metrics`, `/status`,
 * `/debug/state` and `/healthz`. Who else is logged in cannot open it. An agent without it works as well, so what keeps it from being made is only said.
 * @returns what closes it
 */
export async function openLocalSocket(
  dataDir: string,
  view: () => Promise<AgentView>,
  log: Log,
): Promise<() => Promise<void>> {
  const path = localSocketPath(dataDir);
  const server = createServer((request, response) => {
    answer(request, response, view).catch((error) => {
      log("error", "a request on the local socket failed", { error: reasonOf(error) });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  server.headersTimeout = REQUEST_MS_MAX;
  server.keepAliveTimeout = REQUEST_MS_MAX;
  try {
    const folder = join(dataDir, "local");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    // Of an agent that was killed: this one holds the folder's lock, so nobody listens there.
    await rm(path, { force: true });
    await listen(server, path);
    // Nobody else gets as far as this, whatever its mode is until now.
    await chmod(path, 0o600);
  } catch (error) {
    server.close();
    const message = "there is no local socket: metrics and `headrace agent status` are not to be had";
    log("warn", message, { path, reason: reasonOf(error) });
    return async () => undefined;
  }
  return () =>
    new Promise((resolve) => {
      // Takes the file away, too.
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  view: () => Promise<AgentView>,
): Promise<void> {
  const send = (status: number, type: string, text: string) => {
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
    response.end(method === "HEAD" ? "" : text);
  };
  if (method !== "GET" && method !== "HEAD") return send(405, "text/plain", "Only GET is served.\n");
  switch (url) {
    case "/healthz":
      return send(200, "text/plain", "ok\n");
    case "/metrics":
      return send(200, EXPOSITION_TYPE, expose(agentMetrics(await view())));
    case "/status":
      return send(200, "text/plain; charset=utf-8", statusText(await view(), Date.now()));
    case "/debug/state":
      return send(200, "application/json", `${JSON.stringify(await view())}\n`);
    default:
      return send(404, "text/plain", "There are /metrics, /status, /debug/state and /healthz.\n");
  }
}
