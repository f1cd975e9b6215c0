import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { EngineError } from "./errors.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import { type JsonObject, parseObject, wholeNumber } from "./json.ts";
import type { Rooms } from "./rooms.ts";

/** A long poll ends at the latest then, whatever was asked for. */
const KV_WAIT_S_MAX = 30;

/** Ranks of an engine: 128 accelerators with each split of them named. */
const RANKS_MAX = 1_024;

/**
 * The bootstrap service of a prefill worker: decodes learn here how it is laid out, and take part in its rooms. Health,
 * registration and layout are SGLang's own; `/sim/rooms` stands in for what the original moves over RDMA.
 */
export function bootstrapServer(rooms: Rooms): Server {
  const registry = new RankRegistry();
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

/** The ranks of the engine by their place in it. */
class RankRegistry {
  private readonly ranks = new Map<string, { rank_ip: unknown; rank_port: unknown }>();
  private layout: JsonObject | null = null;

  register(rank: JsonObject): void {
    const place = (name: string) => wholeNumber(rank, name, 0) ?? 0;
    const key = [place("attn_dp_rank"), place("attn_cp_rank"), place("attn_tp_rank"), place("pp_rank")].join("/");
    if (!this.ranks.has(key) && this.ranks.size >= RANKS_MAX) throw new EngineError(503, "too many ranks");
    this.ranks.set(key, { rank_ip: rank.rank_ip, rank_port: rank.rank_port });
    this.layout = {
      attn_tp_size: rank.attn_tp_size,
      attn_cp_size: rank.attn_cp_size,
      dp_size: rank.attn_dp_size,
      pp_size: rank.pp_size,
      page_size: rank.page_size,
      kv_cache_dtype: rank.kv_cache_dtype,
      follow_bootstrap_room: rank.load_balance_method === "follow_bootstrap_room",
      prefill_http_port: rank.prefill_http_port,
    };
  }

  /** All ranks -1 asks for the layout, anything else for one rank. */
  route(query: URLSearchParams): { status: 200; body: JsonObject } | { status: 404 | 503; body: string } {
    const names = ["prefill_dp_rank", "prefill_cp_rank", "target_tp_rank", "target_pp_rank"];
    const places = names.map((name) => query.get(name) ?? "-1");
    if (places.every((place) => place === "-1")) {
      return this.layout ? { status: 200, body: this.layout } : { status: 503, body: "no rank has registered yet" };
    }
    const rank = this.ranks.get(places.join("/"));
    return rank ? { status: 200, body: rank } : { status: 404, body: "no such rank" };
  }
}
