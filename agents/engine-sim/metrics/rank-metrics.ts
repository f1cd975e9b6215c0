import type { Load } from "../load.ts";
import type { Startup } from "../loading.ts";
import { tokenUsage } from "../loads-view.ts";
import type { Rank } from "../rank.ts";
import type { Settings } from "../settings.ts";
import { memory } from "../views.ts";
import { Figure } from "./exposition.ts";
import { rankLabels } from "./labels.ts";

type Source = (load: Load) => number;

/** What a scheduler says of itself, for a version and a role: name, type, help, value. */
function catalogue(settings: Settings): [name: string, type: "gauge" | "counter", help: string, of: Source][] {
  const { mode, version, maxTotalTokens } = settings;
  const isOld = version === "0.5.10";
  const always: ReturnType<typeof catalogue> = [
    ["num_running_reqs", "gauge", "Requests that run.", ({ running }) => running],
    ["num_queue_reqs", "gauge", "Requests that wait.", ({ waiting }) => waiting],
    ["num_grammar_queue_reqs", "gauge", "Requests that wait for a grammar.", () => 0],
    ["num_paused_reqs", "gauge", "Requests that are paused.", () => 0],
    ["num_retracted_reqs", "gauge", "Requests whose cache was taken.", ({ retracted }) => retracted],
    ["token_usage", "gauge", "Share of the cache in use.", (load) => tokenUsage(settings, load)],
    ["full_token_usage", "gauge", "Share of the cache of full attention in use.", (load) => tokenUsage(settings, load)],
    ["num_used_tokens", "gauge", "Tokens of cache in use.", ({ usedTokens }) => usedTokens],
    ["max_total_num_tokens", "gauge", "Tokens of cache.", () => maxTotalTokens],
    ["cache_hit_rate", "gauge", "Share of prompts found in the cache.", ({ cacheHitRate }) => cacheHitRate],
    ["gen_throughput", "gauge", "Tokens a second.", ({ generationRate }) => generationRate],
    ["utilization", "gauge", "Of the scheduler.", (load) => (isOld ? tokenUsage(settings, load) : 0)],
    ["decode_sum_seq_lens", "gauge", "Context of all that decode, in tokens.", ({ decodeTokens }) => decodeTokens],
    ["is_cuda_graph", "gauge", "Whether the last step was a graph.", ({ running }) => (running > 0 ? 1 : 0)],
    ["new_token_ratio", "gauge", "Share of what may come that is reckoned with.", ({ tokenRatio }) => tokenRatio],
    ["num_retracted_requests_total", "counter", "Requests taken back.", ({ totals }) => totals.retractions],
    ["evicted_tokens_total", "counter", "Tokens that the prefix cache gave up.", ({ totals }) => totals.evictedTokens],
    ["num_prefill_retries_total", "counter", "Prompts computed again.", () => 0],
  ];
  if (!isOld) {
    always.push(
      ["kv_used_tokens", "gauge", "Tokens of cache in use.", ({ usedTokens }) => usedTokens],
      [
        "kv_evictable_tokens",
        "gauge",
        "Tokens of cache that can be given up.",
        ({ evictableTokens }) => evictableTokens,
      ],
      [
        "kv_available_tokens",
        "gauge",
        "Tokens of cache that hold nothing.",
        ({ usedTokens, evictableTokens }) => maxTotalTokens - usedTokens - evictableTokens,
      ],
    );
  }
  if (mode === "prefill") {
    const name = isOld ? "num_prefill_prealloc_queue_reqs" : "num_prefill_bootstrap_queue_reqs";
    always.push(
      [name, "gauge", "Requests that wait for a decode to reserve cache.", ({ prefillBootstrap }) => prefillBootstrap],
      ["num_prefill_inflight_queue_reqs", "gauge", "Requests whose cache is sent.", (load) => load.prefillInflight],
    );
  }
  if (mode === "decode") {
    always.push(
      ["num_decode_prealloc_queue_reqs", "gauge", "Requests that wait for cache.", (load) => load.decodePrealloc],
      ["num_decode_transfer_queue_reqs", "gauge", "Requests whose cache is to arrive.", (load) => load.decodeTransfer],
    );
  }
  return always;
}

/** Figures of schedulers, as they last looked at themselves. */
export class RankMetrics {
  private readonly settings: Settings;
  private readonly figures: { figure: Figure; of: Source }[];
  private readonly byMode = new Figure("counter", "sglang:realtime_tokens_total", "Tokens, counted as they come.");
  private readonly passes = new Figure("counter", "sglang:cuda_graph_passes_total", "Steps, by kind.");
  private readonly constants: Figure[];

  constructor(settings: Settings, startup: Startup) {
    this.settings = settings;
    this.figures = catalogue(settings).map(([name, type, help, of]) => ({
      figure: new Figure(type, `sglang:${name}`, help),
      of,
    }));
    this.constants = constants(settings, startup);
  }

  get families(): Figure[] {
    return [...this.figures.map(({ figure }) => figure), this.byMode, this.passes, ...this.constants];
  }

  update(ranks: readonly Rank[]): void {
    for (const { index, logged } of ranks) {
      const labels = rankLabels(this.settings, index);
      for (const { figure, of } of this.figures) figure.set(labels, of(logged));
      const { prefillTokens, cachedTokens, decodedTokens, prefillSteps, decodeSteps } = logged.totals;
      this.byMode.set({ ...labels, mode: "prefill_compute" }, prefillTokens);
      this.byMode.set({ ...labels, mode: "prefill_cache" }, cachedTokens);
      this.byMode.set({ ...labels, mode: "decode" }, decodedTokens);
      this.passes.set({ ...labels, mode: "prefill_none" }, prefillSteps);
      this.passes.set({ ...labels, mode: "decode_full" }, decodeSteps);
    }
  }
}

/** What does not change after start-up. */
function constants(settings: Settings, { loadMs }: Startup): Figure[] {
  const labels = rankLabels(settings, 0);
  const gauge = (name: string, help: string, values: [Record<string, string>, number][]) => {
    const figure = new Figure("gauge", `sglang:${name}`, help);
    for (const [own, value] of values) figure.set({ ...labels, ...own }, value);
    return figure;
  };
  const seconds = loadMs / 1000;
  if (settings.version === "0.5.10") {
    const pages = { page_size: "1", num_pages: String(settings.maxTotalTokens) };
    return [
      gauge("engine_startup_time", "Start-up, in seconds.", [[{}, seconds]]),
      gauge("engine_load_weights_time", "Loading of weights, in seconds.", [[{}, seconds]]),
      gauge("cache_config_info", "How the cache is laid out.", [[pages, 1]]),
    ];
  }
  const { weight, kvCache, graph } = memory(settings);
  return [
    gauge("startup_time_seconds", "Start-up by phase, in seconds.", [
      [{ phase: "load_weight" }, seconds],
      [{ phase: "kv_cache_allocation" }, 0],
      [{ phase: "scheduler_e2e" }, seconds],
      [{ phase: "tokenizer_e2e" }, 0],
    ]),
    gauge("weight_memory_usage_gb", "Memory of the weights.", [[{}, weight]]),
    gauge("kv_cache_memory_usage_gb", "Memory of the cache.", [[{}, kvCache]]),
    gauge("graph_memory_usage_gb", "Memory of the graphs.", [[{}, graph]]),
    gauge("page_size", "Tokens of a page of the cache.", [[{}, 1]]),
    gauge("context_len", "Tokens of a context.", [[{}, settings.contextLength]]),
  ];
}
