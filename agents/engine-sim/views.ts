import type { Engine } from "./engine.ts";
import type { Startup } from "./loading.ts";
import { CONTEXT_MARGIN_TOKENS } from "./request.ts";
import type { Settings } from "./settings.ts";

/** What the engine says of itself, in the shapes of SGLang. */

export function serverInfo(settings: Settings, engine: Engine, startup: Startup) {
  const { mode, version } = settings;
  const isOld = version === "0.5.10";
  return {
    model_path: settings.modelPath,
    served_model_name: settings.servedModelName,
    host: settings.host,
    port: settings.port,
    tp_size: settings.tpSize,
    dp_size: settings.dpSize,
    ep_size: 1,
    pp_size: 1,
    nnodes: settings.nodes.count,
    node_rank: settings.nodes.rank,
    base_gpu_id: 0,
    disaggregation_mode: mode,
    disaggregation_bootstrap_port: settings.bootstrapPort,
    disaggregation_transfer_backend: settings.transferBackend,
    disaggregation_ib_device: settings.ibDevice,
    max_running_requests: settings.maxRunningRequests * settings.dpSize,
    chunked_prefill_size: settings.chunkedPrefillSize ?? -1,
    context_length: settings.contextLength,
    page_size: 1,
    load_balance_method: mode === "prefill" ? "follow_bootstrap_room" : "round_robin",
    enable_metrics: settings.metrics.isOn,
    // A constant of the original's start-up, not its health.
    status: "ready",
    max_total_num_tokens: settings.maxTotalTokens,
    max_req_input_len: Math.min(settings.contextLength, settings.maxTotalTokens) - CONTEXT_MARGIN_TOKENS,
    ...(isOld ? {} : { startup_time: startupTime(startup) }),
    internal_states: engine.ranks.map(({ published }) => ({
      effective_max_running_requests_per_dp: settings.maxRunningRequests,
      last_gen_throughput: published.generationRate,
      disaggregation_mode: mode,
      memory_usage: memoryUsage(settings),
    })),
    ...(isOld ? {} : { launch_command: launchCommand(settings), frontend: "python", kv_events: null }),
    version,
    simulated: true,
  };
}

function startupTime({ loadMs }: Startup) {
  const seconds = loadMs / 1000;
  const graphs = { decode: 0, prefill: 0 };
  return { load_weight: seconds, kv_cache_allocation: 0, scheduler_e2e: seconds, tokenizer_e2e: 0, cuda_graph: graphs };
}

/** Without the key: this one is shown to whoever looks at processes. */
function launchCommand({ modelPath, host, port, mode }: Settings): string {
  return `python -m sglang.launch_server --model-path ${modelPath} --host ${host} --port ${port} --disaggregation-mode ${mode}`;
}

/** GB, of all accelerators. */
export function memory(settings: Settings) {
  const { profile, maxTotalTokens } = settings;
  return {
    weight: profile.weightBytes / 1e9,
    kvCache: (maxTotalTokens * profile.kvBytesPerToken) / 1e9,
    graph: 0,
  };
}

function memoryUsage(settings: Settings) {
  const { weight, kvCache, graph } = memory(settings);
  const token_capacity = settings.maxTotalTokens;
  if (settings.version === "0.5.10") return { weight, kvcache: kvCache, token_capacity, graph };
  return {
    weight,
    kvcache: kvCache,
    startup_available: 0,
    token_capacity,
    token_capacity_swa: null,
    graph: { decode: graph },
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
