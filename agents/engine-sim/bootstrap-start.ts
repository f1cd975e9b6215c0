import { bootstrapServer } from "./bootstrap.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { ask } from "./http.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** A bootstrap service on this machine answers at once. */
const REGISTER_TIMEOUT_MS = 5_000;

/** Starts a prefill's bootstrap service, and has every data-parallel rank register there. */
export async function startBootstrap(settings: Settings, engine: Engine, clock: Clock, log: Log): Promise<void> {
  const port = await listen(bootstrapServer(engine.rooms, clock), settings.host, settings.bootstrapPort);
  log(`CommonKVBootstrapServer started successfully on ${settings.host}:${port}`);
  const own = settings.host === "0.0.0.0" || settings.host === "::" ? "127.0.0.1" : settings.host;
  for (const { index } of engine.ranks) {
    const body = JSON.stringify(registration(settings, port, index));
    await ask("PUT", `http://${own}:${port}/route`, clock.timeout(REGISTER_TIMEOUT_MS * settings.speed), body);
  }
}

function registration(settings: Settings, port: number, rank: number) {
  return {
    attn_tp_size: settings.tpSize,
    attn_tp_rank: 0,
    attn_cp_size: 1,
    attn_cp_rank: 0,
    attn_dp_size: settings.dpSize,
    attn_dp_rank: rank,
    pp_size: 1,
    pp_rank: 0,
    system_dp_size: settings.dpSize,
    system_dp_rank: rank,
    rank_ip: settings.host,
    rank_port: port,
    page_size: 1,
    kv_cache_dtype: "auto",
    load_balance_method: "follow_bootstrap_room",
    prefill_http_port: settings.port,
  };
}
