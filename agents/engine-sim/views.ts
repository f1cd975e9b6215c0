import type { Engine } from "./engine.ts";
import type { Settings } from "./settings.ts";

/** What the engine says of itself, in the shapes of SGLang. */

export function serverInfo(settings: Settings, engine: Engine) {
  const { mode, version } = settings;
  return {
    model_path: settings.modelPath,
    served_model_name: settings.servedModelName,
    host: settings.host,
    port: settings.port,
    tp_size: settings.tpSize,
    dp_size: 1,
    ep_size: 1,
    pp_size: 1,
    nnodes: 1,
    node_rank: 0,
    base_gpu_id: 0,
    disaggregation_mode: mode,
    disaggregation_bootstrap_port: settings.bootstrapPort,
    disaggregation_transfer_backend: settings.transferBackend,
    disaggregation_ib_device: null,
    max_running_requests: settings.maxRunningRequests,
    chunked_prefill_size: settings.chunkedPrefillSize,
    context_length: settings.contextLength,
    page_size: 1,
    load_balance_method: mode === "prefill" ? "follow_bootstrap_room" : "round_robin",
    enable_metrics: false,
    // A constant of the original's start-up, not its health.
    status: "ready",
    max_total_num_tokens: settings.maxTotalTokens,
    max_req_input_len: settings.contextLength - 6,
    internal_states: [
      {
        effective_max_running_requests_per_dp: settings.maxRunningRequests,
        last_gen_throughput: 0,
        disaggregation_mode: mode,
        memory_usage: { token_capacity: settings.maxTotalTokens, used_tokens: engine.usedTokens },
      },
    ],
    version,
    simulated: true,
  };
}

export function modelInfo(settings: Settings) {
  const always = {
    model_path: settings.modelPath,
    tokenizer_path: settings.modelPath,
    is_generation: true,
    preferred_sampling_params: null,
    weight_version: "default",
    has_image_understanding: false,
    has_audio_understanding: false,
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
  };
  if (settings.version === "0.5.10") return always;
  return {
    ...always,
    served_model_name: settings.servedModelName,
    load_format: "auto",
    reasoning_parser: null,
    tool_call_parser: null,
    disaggregation_mode: settings.mode,
  };
}

/** @param created seconds since 1970 */
export function modelCard(settings: Settings, created: number) {
  const id = settings.servedModelName;
  const max_model_len = settings.contextLength;
  return { id, object: "model", created, owned_by: "sglang", root: id, parent: null, max_model_len };
}

/**
 * The load of the one rank there is. 0.5.10 adds a total and a sum over ranks, 0.5.23 the kind of accelerator.
 * @param timestamp ISO 8601
 */
export function loads(settings: Settings, engine: Engine, include: string[], timestamp: string) {
  const counts = engine.counts();
  const old = settings.version === "0.5.10";
  const has = (section: string) => include.includes(section) || include.includes("all");
  const usage = engine.usedTokens / settings.maxTotalTokens;
  const core = {
    dp_rank: 0,
    num_running_reqs: counts.running,
    num_waiting_reqs: counts.waiting,
    ...(old ? { num_total_reqs: counts.running + counts.waiting } : { num_total_tokens: engine.usedTokens }),
    num_used_tokens: engine.usedTokens,
    max_total_num_tokens: settings.maxTotalTokens,
    max_running_requests: settings.maxRunningRequests,
    token_usage: usage,
    gen_throughput: 0,
    cache_hit_rate: 0,
    utilization: usage,
  };
  const disaggregation = {
    mode: settings.mode,
    prefill_bootstrap_queue_reqs: counts.prefillBootstrap,
    prefill_inflight_queue_reqs: counts.prefillInflight,
    decode_prealloc_queue_reqs: counts.decodePrealloc,
    decode_transfer_queue_reqs: counts.decodeTransfer,
    decode_retracted_queue_reqs: 0,
    kv_transfer_speed_gb_s: 0,
    kv_transfer_latency_ms: 0,
  };
  const queues = { waiting: counts.waiting, grammar: 0, paused: 0, retracted: 0, prealloc_ready: 0 };
  const load = { ...core, ...(has("disagg") ? { disaggregation } : {}), ...(has("queues") ? { queues } : {}) };
  if (!old) {
    const accelerator = `simulated ${settings.profile.name}`;
    return {
      timestamp,
      version: settings.version,
      accelerator,
      num_accelerators: settings.tpSize,
      loads: [{ timestamp, ...load }],
    };
  }
  const aggregate = {
    total_running_reqs: counts.running,
    total_waiting_reqs: counts.waiting,
    total_reqs: counts.running + counts.waiting,
    avg_token_usage: usage,
    avg_throughput: 0,
    avg_utilization: usage,
  };
  return { timestamp, version: settings.version, dp_rank_count: 1, loads: [load], aggregate };
}
