import { describe, expect, it } from "vitest";
import { parseExposition } from "../testing/strict-exposition.ts";
import { VirtualEngine } from "../testing/virtual-engine.ts";
import { expose, Figure, Histogram } from "./exposition.ts";

/** An engine that has answered three requests, one of them twice. */
async function used(...flags: string[]) {
  const engine = new VirtualEngine(...flags);
  const body = { prompt: "hello ".repeat(100), max_tokens: 60, ignore_eos: true };
  for (const more of [{}, { stream: true }, {}]) await engine.clock.run(engine.complete({ ...body, ...more }));
  await engine.clock.run(engine.clock.sleep(100));
  return { engine, metrics: parseExposition(engine.scrape()) };
}

function bounds(metrics: ReturnType<typeof parseExposition>, name: string): number[] {
  const all = metrics.samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels }) => Number(labels.le));
  return [...new Set(all.filter(Number.isFinite))];
}

describe("the text", () => {
  it("is written as Prometheus' Python client writes it", () => {
    const counter = new Figure("counter", "a:b_total", "Counts\nthings.");
    counter.add({ z: 'quo"te', a: "back\\slash\n" });
    const histogram = new Histogram("h", "H.", [0.5, 1, 1_100_000]);
    histogram.observe({}, 0.7);
    histogram.observe({}, 2_000_000);
    expect(expose([counter, new Figure("gauge", "untouched", "Not there."), histogram])).toBe(
      [
        "# HELP a:b_total Counts\\nthings.",
        "# TYPE a:b_total counter",
        'a:b_total{a="back\\\\slash\\n",z="quo\\"te"} 1.0',
        "# HELP h H.",
        "# TYPE h histogram",
        'h_bucket{le="0.5"} 0.0',
        'h_bucket{le="1.0"} 1.0',
        'h_bucket{le="1.1e+06"} 1.0',
        'h_bucket{le="+Inf"} 2.0',
        "h_count 2.0",
        "h_sum 2000000.7",
        "",
      ].join("\n"),
    );
  });

  it("is refused by the strict parser when it breaks a rule", () => {
    const head = "# HELP a A.\n# TYPE a gauge\n";
    const broken = [
      "a 1",
      `${head}a 1.0`,
      `${head}b 1.0\n`,
      `${head}a{x=1} 1.0\n`,
      `${head}a{x="1",x="2"} 1.0\n`,
      `${head}a 1.0\na 2.0\n`,
      `${head}a NaN?\n`,
      "# TYPE a gauge\na 1.0\n",
      "# HELP a A.\n# TYPE a counter\na 1.0\n",
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1.0"} 1.0\nh_count 1.0\nh_sum 1.0\n',
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1.0"} 2.0\nh_bucket{le="+Inf"} 1.0\nh_count 1.0\nh_sum 1.0\n',
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="+Inf"} 1.0\nh_count 2.0\nh_sum 1.0\n',
    ];
    for (const text of broken) expect(() => parseExposition(text), text).toThrow();
    expect(parseExposition(`${head}a{x="1"} 1.5\n`).value("a")).toBe(1.5);
  });
});

describe("what is measured", () => {
  it("counts requests, tokens and what was cached", async () => {
    const { metrics } = await used();
    const total = (name: string) =>
      metrics.samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
    expect(total("sglang:num_requests_total")).toBe(3);
    expect(total("sglang:prompt_tokens_total")).toBe(450);
    expect(total("sglang:generation_tokens_total")).toBe(180);
    expect(total("sglang:cached_tokens_total")).toBe(256);
    expect(total("sglang:inter_token_latency_seconds_count")).toBe(3 * 59);
    expect(total("sglang:time_to_first_token_seconds_count")).toBe(3);
    expect(metrics.value("sglang:queue_time_seconds_count")).toBe(3);
    expect(metrics.value("sglang:realtime_tokens_total", { mode: "prefill_compute" })).toBe(450 - 256);
    expect(metrics.value("sglang:realtime_tokens_total", { mode: "prefill_cache" })).toBe(256);
    expect(metrics.value("sglang:num_requests_total", { is_streaming: "true" })).toBe(1);
    expect(metrics.value("sglang:max_total_num_tokens", { engine_type: "unified", tp_rank: "0" })).toBe(50_000);
    expect(metrics.value("sglang:kv_evictable_tokens")).toBe(128);
  });

  it("has SGLang's buckets, or those that are asked for", async () => {
    const { metrics } = await used();
    const first = bounds(metrics, "sglang:time_to_first_token_seconds");
    expect(first).toEqual([0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400]);
    expect(bounds(metrics, "sglang:e2e_request_latency_seconds")).toEqual([...first, 600, 1200, 1800, 2400]);
    expect(bounds(metrics, "sglang:inter_token_latency_seconds").slice(0, 6)).toEqual([
      0.002, 0.004, 0.006, 0.008, 0.01, 0.015,
    ]);
    expect(bounds(metrics, "sglang:per_stage_req_latency_seconds")).toHaveLength(30);
    expect(bounds(metrics, "sglang:queue_time_seconds").slice(0, 3)).toEqual([0, 0.001, 0.005]);
    const own = (await used("--bucket-time-to-first-token", "0.01", "0.1")).metrics;
    expect(bounds(own, "sglang:time_to_first_token_seconds")).toEqual([0.01, 0.1]);
  });

  it("has the names and labels of 0.5.10", async () => {
    const { metrics } = await used("--sim-version", "0.5.10");
    expect(metrics.types.has("sglang:request_time_per_output_token_seconds")).toBe(false);
    expect(metrics.types.has("sglang:prompt_tokens_histogram")).toBe(false);
    expect(metrics.types.has("sglang:startup_time_seconds")).toBe(false);
    expect(metrics.value("sglang:cache_config_info")).toBe(1);
    const { samples } = metrics;
    expect(samples.find(({ name }) => name === "sglang:num_requests_total")?.labels).toEqual({ model_name: "m" });
    const lengths = (await used("--sim-version", "0.5.10", "--collect-tokens-histogram")).metrics;
    expect(lengths.value("sglang:prompt_tokens_histogram_count")).toBe(3);
  });

  it("names the rank where there are several, and every label that is asked for", async () => {
    const { metrics } = await used("--dp-size", "2", "--extra-metric-labels", '{"zone":"a b"}');
    expect(metrics.value("sglang:num_running_reqs", { dp_rank: "1", zone: "a b" })).toBe(0);
    expect(metrics.value("sglang:http_requests_active", { zone: "a b" })).toBe(0);
  });

  it("has the queues of its role only, under the name of its version", () => {
    const types = (...flags: string[]) => parseExposition(new VirtualEngine(...flags).scrape()).types;
    const prefill = types("--disaggregation-mode", "prefill");
    expect(prefill.has("sglang:num_prefill_bootstrap_queue_reqs")).toBe(true);
    expect(prefill.has("sglang:num_prefill_inflight_queue_reqs")).toBe(true);
    expect(prefill.has("sglang:num_decode_prealloc_queue_reqs")).toBe(false);
    const old = types("--disaggregation-mode", "prefill", "--sim-version", "0.5.10");
    expect(old.has("sglang:num_prefill_prealloc_queue_reqs")).toBe(true);
    expect(old.has("sglang:num_prefill_bootstrap_queue_reqs")).toBe(false);
    const decode = types("--disaggregation-mode", "decode");
    expect(decode.has("sglang:num_decode_transfer_queue_reqs")).toBe(true);
    expect(types().has("sglang:num_decode_transfer_queue_reqs")).toBe(false);
  });
});
