import type { Engine } from "./engine.ts";
import type { Load } from "./load.ts";
import type { Settings } from "./settings.ts";
import { memory } from "./views.ts";

/** `/v1/loads`: what each data-parallel rank has to do, as it last published it. */

/**
 * 0.5.10 adds totals and a sum over ranks, 0.5.23 more counters and the kind of accelerator.
 * @param include sections besides the core, or `all`
 * @param rank the only one to show; null = all
 * @param timestamp ISO 8601
 */
export function loads(settings: Settings, engine: Engine, include: string[], rank: number | null, timestamp: string) {
  const isOld = settings.version === "0.5.10";
  const has = (section: string) => include.includes(section) || include.includes("all");
  const ranks = engine.ranks.filter(({ index }) => rank === null || index === rank);
  const all = ranks.map(({ index, published: load }) => ({
    ...(isOld ? {} : { timestamp }),
    dp_rank: index,
    ...core(settings, load),
    ...(isOld ? { num_total_reqs: load.running + load.waiting } : newCore(load)),
    ...(has("memory") ? { memory: memorySection(settings) } : {}),
    ...(has("disagg") ? { disaggregation: disaggregation(settings, load) } : {}),
    ...(has("queues") ? { queues: queues(load) } : {}),
  }));
  if (isOld) {
    const aggregate = aggregateOf(
      settings,
      ranks.map(({ published }) => published),
    );
    return { timestamp, version: settings.version, dp_rank_count: ranks.length, loads: all, aggregate };
  }
  const accelerator = `simulated ${settings.profile.name}`;
  return { timestamp, version: settings.version, accelerator, num_accelerators: settings.tpSize, loads: all };
}

/** 0.5.10's older `/get_load`. */
export function oldLoads(engine: Engine, ticMs: number) {
  return engine.ranks.map(({ index, published: { running, waiting, usedTokens } }) => ({
    dp_rank: index,
    num_reqs: running + waiting,
    num_waiting_reqs: waiting,
    num_tokens: usedTokens,
    ts_tic: ticMs / 1000,
  }));
}

export function tokenUsage(settings: Settings, load: Load): number {
  return load.usedTokens / settings.maxTotalTokens;
}

function core(settings: Settings, load: Load) {
  return {
    num_running_reqs: load.running,
    num_waiting_reqs: load.waiting,
    num_used_tokens: load.usedTokens,
    max_total_num_tokens: settings.maxTotalTokens,
    max_running_requests: settings.maxRunningRequests,
    token_usage: tokenUsage(settings, load),
    gen_throughput: load.generationRate,
    cache_hit_rate: load.cacheHitRate,
    utilization: tokenUsage(settings, load),
  };
}

function newCore(load: Load) {
  return {
    num_waiting_uncached_tokens: load.waitingTokens,
    num_total_tokens: load.usedTokens + load.waitingTokens,
    num_active_tokens: load.usedTokens,
    num_prealloc_ready_tokens: 0,
    total_prefill_uncached_tokens: load.totals.prefillTokens,
    total_prefill_busy_us: Math.round(load.totals.prefillBusyMs * 1000),
    decode_moments: null,
  };
}

function disaggregation(settings: Settings, load: Load) {
  return {
    mode: settings.mode,
    prefill_bootstrap_queue_reqs: load.prefillBootstrap,
    prefill_inflight_queue_reqs: load.prefillInflight,
    decode_prealloc_queue_reqs: load.decodePrealloc,
    decode_transfer_queue_reqs: load.decodeTransfer,
    decode_retracted_queue_reqs: settings.mode === "decode" ? load.retracted : 0,
    kv_transfer_speed_gb_s: 0,
    kv_transfer_latency_ms: 0,
  };
}

function queues(load: Load) {
  return { waiting: load.waiting, grammar: 0, paused: 0, retracted: load.retracted, prealloc_ready: 0 };
}

function memorySection(settings: Settings) {
  const { weight, kvCache, graph } = memory(settings);
  return { weight_gb: weight, kv_cache_gb: kvCache, graph_gb: graph, token_capacity: settings.maxTotalTokens };
}

function aggregateOf(settings: Settings, all: Load[]) {
  const sum = (of: (load: Load) => number) => all.reduce((total, load) => total + of(load), 0);
  const mean = (of: (load: Load) => number) => sum(of) / Math.max(1, all.length);
  return {
    total_running_reqs: sum(({ running }) => running),
    total_waiting_reqs: sum(({ waiting }) => waiting),
    total_reqs: sum(({ running, waiting }) => running + waiting),
    avg_token_usage: mean((load) => tokenUsage(settings, load)),
    avg_throughput: mean(({ generationRate }) => generationRate),
    avg_utilization: mean((load) => tokenUsage(settings, load)),
  };
}
