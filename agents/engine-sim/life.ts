import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { bootstrapServer } from "./bootstrap.ts";
import { type Clock, realClock } from "./clock.ts";
import { Engine } from "./engine.ts";
import { ask } from "./http.ts";
import { type Log, logger } from "./log.ts";
import { loadMs } from "./model.ts";
import { recorder } from "./record.ts";
import { engineServer, type ServerState } from "./server.ts";
import type { Settings } from "./settings.ts";

const LOAD_STEPS = 10;

/** While draining, and always in the original, the server looks this often whether it should end. */
const DRAIN_CHECK_MS = 5_000;

/** A bootstrap service on this machine answers at once. */
const REGISTER_TIMEOUT_MS = 5_000;

/**
 * Runs an engine from start to end: loading (port closed), starting (answers, but not healthy), up, and on SIGTERM
 * draining: unhealthy at once, still serving, gone when the last request is.
 */
export async function live(settings: Settings): Promise<void> {
  const clock = realClock(settings.speed);
  const log = logger(() => new Date());
  await load(settings, clock, log);
  const engine = new Engine(
    settings,
    clock,
    stepLog(settings, log, () => engine),
  );
  if (settings.mode === "prefill") await startBootstrap(settings, engine, clock, log);
  const drain = drainOnTerm(settings, clock, log);
  const state: ServerState = {
    settings,
    engine,
    clock,
    record: recorder(settings),
    phase: "starting",
    inProgress: 0,
    onRequest: () => drain(state, server),
    healthGenerates: process.env.SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION !== "false",
    startedAt: Math.floor(Date.now() / 1000),
  };
  const server = engineServer(state);
  const port = await listen(server, settings.host, settings.port);
  log(`Uvicorn running on http://${settings.host}:${port} (Press CTRL+C to quit)`);
  if (!settings.skipWarmup) {
    if (settings.mode !== "null") log("Start of pd disaggregation warmup ...");
    await clock.sleep(settings.profile.warmupMs);
    if (settings.mode !== "null") log("End of disaggregation warmup");
    drain(state, server);
  }
  state.phase = "up";
  log("The server is fired up and ready to roll!");
}

async function load(settings: Settings, clock: Clock, log: Log): Promise<void> {
  const { profile, version } = settings;
  const ms = settings.loadSeconds === null ? loadMs(profile) : settings.loadSeconds * 1000;
  log(version === "0.5.10" ? "Init torch distributed begin." : "Init parallel begin.");
  log("Load weight begin. avail mem=79.00 GB");
  for (let step = 1; step <= LOAD_STEPS; step += 1) {
    await clock.sleep(ms / LOAD_STEPS);
    const percent = String((step * 100) / LOAD_STEPS).padStart(3);
    process.stderr.write(`Loading safetensors checkpoint shards: ${percent}% Completed | ${step}/${LOAD_STEPS}\n`);
  }
  log(`Load weight end. elapsed=${(ms / 1000).toFixed(2)} s, type=LlamaForCausalLM`);
  if (version === "0.5.10") {
    log(`KV Cache is allocated. #tokens: ${settings.maxTotalTokens}`);
    log("Memory pool end. avail mem=10.00 GB");
  }
  log("Capture cuda graph begin. This can take up to several minutes.");
  log("Capture cuda graph end. Time elapsed: 0.00 s.");
  log(
    `max_total_num_tokens=${settings.maxTotalTokens}, chunked_prefill_size=${settings.chunkedPrefillSize}, ` +
      `max_running_requests=${settings.maxRunningRequests}, context_len=${settings.contextLength}, ` +
      "available_gpu_mem=10.00 GB",
  );
}

async function startBootstrap(settings: Settings, engine: Engine, clock: Clock, log: Log): Promise<void> {
  const port = await listen(bootstrapServer(engine.rooms), settings.host, settings.bootstrapPort);
  log(`CommonKVBootstrapServer started successfully on ${settings.host}:${port}`);
  const rank = {
    attn_tp_size: settings.tpSize,
    attn_tp_rank: 0,
    attn_cp_size: 1,
    attn_cp_rank: 0,
    attn_dp_size: 1,
    attn_dp_rank: 0,
    pp_size: 1,
    pp_rank: 0,
    system_dp_size: 1,
    system_dp_rank: 0,
    rank_ip: settings.host,
    rank_port: port,
    page_size: 1,
    kv_cache_dtype: "auto",
    load_balance_method: "follow_bootstrap_room",
    prefill_http_port: settings.port,
  };
  const own = settings.host === "0.0.0.0" || settings.host === "::" ? "127.0.0.1" : settings.host;
  const timeout = clock.timeout(REGISTER_TIMEOUT_MS);
  await ask("PUT", `http://${own}:${port}/route`, timeout, JSON.stringify(rank));
}

/** @returns the port listened on. @throws Error with uvicorn's words when the address is taken */
async function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? "address already in use" : error.message;
    reject(new Error(`error while attempting to bind on address ('${host}', ${port}): ${why}`));
  });
  server.listen(port, host, resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}

function stepLog(settings: Settings, log: Log, engine: () => Engine): ConstructorParameters<typeof Engine>[2] {
  return ({ kind, sequences, tokens }) => {
    const { running, waiting, prefillBootstrap, prefillInflight } = engine().counts();
    const usage = (engine().usedTokens / settings.maxTotalTokens).toFixed(2);
    if (kind === "decode") {
      log(
        `Decode batch, #running-req: ${sequences}, #token: ${tokens}, token usage: ${usage}, cuda graph: True, ` +
          `gen throughput (token/s): 0.00, #queue-req: ${waiting}, `,
      );
      return;
    }
    const disaggregation =
      settings.mode === "prefill" ? `#bootstrap-req: ${prefillBootstrap}, #inflight-req: ${prefillInflight}, ` : "";
    log(
      `Prefill batch, #new-seq: ${sequences}, #new-token: ${tokens}, #cached-token: 0, token usage: ${usage}, ` +
        `#running-req: ${running - sequences}, #queue-req: ${waiting}, ${disaggregation}`,
    );
  };
}

/**
 * The original takes SIGTERM in hand with its first request (the warm-up is one); before that the process simply dies
 * of it. The returned function does so once, however often it is called.
 */
function drainOnTerm(settings: Settings, clock: Clock, log: Log): (state: ServerState, server: Server) => void {
  let armed = false;
  return (state, server) => {
    if (armed) return;
    armed = true;
    process.on("SIGTERM", () => {
      state.phase = "draining";
    });
    void watch(state, server, clock, log).then(() => end(settings));
  };
}

/** Ends when the engine is to drain and nothing is left in it. */
async function watch(state: ServerState, server: Server, clock: Clock, log: Log): Promise<void> {
  for (;;) {
    await clock.sleep(DRAIN_CHECK_MS);
    if (state.phase !== "draining") continue;
    log(`Gracefully exiting... Remaining number of requests ${state.inProgress}. Remaining requests []`);
    if (state.inProgress > 0) continue;
    server.close();
    return;
  }
}

/** 0.5.10 ends by killing its own processes, itself included; 0.5.23 in peace. */
function end(settings: Settings): void {
  if (settings.version === "0.5.10") process.kill(process.pid, "SIGKILL");
  else process.exit(0);
}
