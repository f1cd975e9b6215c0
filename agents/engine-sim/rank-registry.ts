import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { type JsonObject, wholeNumber } from "./json.ts";

/** Ranks of an engine: 128 accelerators with each split of them named. */
const RANKS_MAX = 1_024;

/** SGLANG_DISAGGREGATION_BOOTSTRAP_ENTRY_CLEANUP_INTERVAL: what is noted of a room is forgotten after this long. */
const ROOM_LIFE_MS = 120_000;

/** More rooms than any router has in flight at one prefill. */
const ROOMS_MAX = 10_000;

/** What decodes learn of a prefill: its ranks by their place in it, and which one of them has a room. */
export class RankRegistry {
  private readonly clock: Clock;
  private readonly ranks = new Map<string, { rank_ip: unknown; rank_port: unknown }>();
  private readonly rooms = new Map<string, { rank: number; at: number }>();
  private layout: JsonObject | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

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

  /** Notes which data-parallel rank has a room. Old notes go first; a map keeps the order in which they came. */
  registerRoom(body: JsonObject): void {
    const rank = wholeNumber(body, "dp_rank", 0);
    const room = body.bootstrap_room;
    if (rank === null || room === undefined) throw new EngineError(400, "bootstrap_room and dp_rank are needed");
    const now = this.clock.now();
    for (const [id, { at }] of this.rooms) {
      if (now - at < ROOM_LIFE_MS && this.rooms.size < ROOMS_MAX) break;
      this.rooms.delete(id);
    }
    this.rooms.set(String(room), { rank, at: now });
  }

  /** @returns the ranks of the rooms that are known */
  ranksOf(rooms: unknown): Record<string, number> {
    const known = (Array.isArray(rooms) ? rooms : []).flatMap((room) => {
      const noted = this.rooms.get(String(room));
      return noted ? [[String(room), noted.rank]] : [];
    });
    return Object.fromEntries(known);
  }
}
