import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import { parseObject, wholeNumber } from "./json.ts";
import { RankRegistry } from "./rank-registry.ts";
import type { Rooms } from "./rooms.ts";

/** A long poll ends at the latest then, whatever was asked for. */
const KV_WAIT_S_MAX = 30;

/**
 * The bootstrap service of a prefill worker: decodes learn here how it is laid out, and take part in its rooms. Health,
 * registration and layout are SGLang's own; `/sim/rooms` stands in for what the original moves over RDMA.
 */
export function bootstrapServer(rooms: Rooms, clock: Clock): Server {
  const registry = new RankRegistry(clock);
  return createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://bootstrap");
    const room = /^\/sim\/rooms\/(\d{1,20})(?:\/(alloc|kv))?$/.exec(pathname);
    const work = room
      ? serveRoom(rooms, request, response, room[1] as string, room[2], searchParams)
      : serveRegistry(registry, request, response, pathname, searchParams);
    work.catch((error: unknown) => {
      if (response.destroyed) return;
      const status = error instanceof EngineError ? error.status : 500;
      sendText(response, status, error instanceof Error ? error.message : String(error));
    });
  });
}

async function serveRegistry(
  registry: RankRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  if (request.method === "GET" && path === "/health") return sendText(response, 200, "OK");
  if (request.method === "PUT" && path === "/route") {
    registry.register(parseObject(await readBody(request)));
    return sendText(response, 200, "OK");
  }
  if (request.method === "GET" && path === "/route") {
    const found = registry.route(query);
    return found.status === 200 ? sendJson(response, 200, found.body) : sendText(response, found.status, found.body);
  }
  if (request.method === "POST" && path === "/register_dp_rank") {
    registry.registerRoom(parseObject(await readBody(request)));
    return sendText(response, 200, "OK");
  }
  if (request.method === "POST" && path === "/query_dp_ranks") {
    return sendJson(response, 200, registry.ranksOf(parseObject(await readBody(request)).bootstrap_rooms));
  }
  sendText(response, 404, "Not Found");
}

async function serveRoom(
  rooms: Rooms,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
  action: string | undefined,
  query: URLSearchParams,
): Promise<void> {
  if (request.method === "POST" && action === "alloc") {
    const port = wholeNumber(parseObject(await readBody(request)), "port", 0) ?? 0;
    rooms.allocate(id, `${request.socket.remoteAddress?.replace(/^::ffff:/, "")}:${port}`);
    return sendJson(response, 200, {});
  }
  if (request.method === "GET" && action === "kv") {
    const wait = Math.min(Number(query.get("wait") ?? 0) || 0, KV_WAIT_S_MAX);
    const result = await rooms.result(id, wait * 1000);
    if (result === null) return sendText(response, 404, `room ${id} is not known`);
    return sendJson(response, 200, result === "waiting" ? { state: "waiting" } : result);
  }
  if (request.method === "DELETE" && action === undefined) {
    rooms.close(id);
    return sendJson(response, 200, {});
  }
  sendText(response, 404, "Not Found");
}
