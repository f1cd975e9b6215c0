import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { IdleSockets } from "./idle-sockets.ts";
import {
  CONNECTIONS_MAX,
  FILES_KEPT,
  HEADERS_TIMEOUT_MS,
  IDLE_CONNECTIONS_MAX,
  KEPT_ALIVE_MS,
  REQUEST_TIMEOUT_MS,
  SILENT_SOCKET_MS,
  TIMEOUT_CHECK_MS,
} from "./limits.ts";
import { refuseSocket } from "./raw-refusal.ts";

/** The HTTP server around what answers: what happens on a socket before and after a request, and how much of it. */
export function createHttpServer(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEPT_ALIVE_MS,
    },
    listener,
  );
  server.timeout = SILENT_SOCKET_MS;
  server.maxConnections = Math.min(CONNECTIONS_MAX, openFilesMax() - FILES_KEPT);

  // Half at most are idle, so that where few files may be open, those who ask for something still find room.
  const sockets = new IdleSockets(Math.min(IDLE_CONNECTIONS_MAX, server.maxConnections / 2));
  server.on("connection", (socket) => sockets.opened(socket));
  server.on("request", ({ socket }, response) => {
    sockets.began(socket);
    response.once("close", () => sockets.ended(socket));
  });
  // Links are counted where they end.
  server.prependListener("upgrade", ({ socket }) => {
    sockets.began(socket);
    // Node has taken its own listeners off: without this one, a caller that resets its connection ends the process.
    socket.on("error", () => socket.destroy());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // In the middle of an answer nothing more can be said.
    if (error.code === "ECONNRESET" || !socket.writable || sockets.isBusy(socket)) socket.destroy();
    else refuseUnread(socket, error.code);
  });
  return server;
}

/** Answers what is not a request that could be read. */
function refuseUnread(socket: Duplex, code: string | undefined): void {
  if (code === "HPE_HEADER_OVERFLOW") {
    refuseSocket(socket, "headers_too_large", "The request's headers are larger than 16 KiB.");
  } else if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    refuseSocket(socket, "request_timeout", "The request did not come whole in time.");
  } else {
    refuseSocket(socket, "invalid_request", "This is not an HTTP request that can be read.");
  }
}

/** How many files this process may open. Node raises its own limit to the hard one when it starts. */
function openFilesMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? CONNECTIONS_MAX : Number(soft);
  } catch {
    // Not Linux: what macOS allows a process by default.
    return 10_240;
  }
}
