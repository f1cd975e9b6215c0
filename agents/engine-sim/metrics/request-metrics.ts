import type { Settings } from "../settings.ts";
import type { RequestEnd, Stage, Telemetry } from "../telemetry.ts";
import * as buckets from "./buckets.ts";
import { Figure, Histogram, type Labels } from "./exposition.ts";
import { frontLabels, rankLabels } from "./labels.ts";

/** What SGLang measures of requests: by the front end, in its queues, between prefill and decode. */
export class RequestMetrics implements Telemetry {
  private readonly settings: Settings;
  private readonly isOld: boolean;
  private readonly front: Labels;
  private readonly ranks: Labels[];

  private readonly firstTokenSeconds: Histogram;
  private readonly nextTokenSeconds: Histogram;
  private readonly requestSeconds: Histogram;
  private readonly perTokenSeconds = new Histogram(
    "sglang:request_time_per_output_token_seconds",
    "Mean time between the tokens of a request, in seconds.",
    buckets.NEXT_TOKEN,
  );
  private readonly promptTokens = counter("prompt_tokens_total", "Tokens of prompts.");
  private readonly generationTokens = counter("generation_tokens_total", "Tokens generated.");
  private readonly cachedTokens = counter("cached_tokens_total", "Tokens of prompts found in a cache.");
  private readonly requests = counter("num_requests_total", "Requests answered.");
  private readonly abortedRequests = counter("num_aborted_requests_total", "Requests given up or failed.");
  private readonly promptLengths = lengths("prompt_tokens_histogram", "Tokens of a prompt.");
  private readonly answerLengths = lengths("generation_tokens_histogram", "Tokens of an answer.");
  private readonly uncachedLengths = lengths("uncached_prompt_tokens_histogram", "Tokens of a prompt to be computed.");
  private readonly queueSeconds = new Histogram(
    "sglang:queue_time_seconds",
    "Time from being queued to the first step, in seconds.",
    buckets.QUEUE,
  );
  private readonly stageSeconds = new Histogram(
    "sglang:per_stage_req_latency_seconds",
    "Time that a request spends in each stage, in seconds.",
    buckets.STAGE,
  );
  private readonly transferSpeed = transfer("speed_gb_s", "GB a second.", buckets.TRANSFER_GB_S);
  private readonly transferLatency = transfer("latency_ms", "Time, in ms.", buckets.TRANSFER_LATENCY_MS);
  private readonly transferBootstrap = transfer("bootstrap_ms", "Wait for the decode, in ms.", buckets.TRANSFER_MS);
  private readonly transferAlloc = transfer("alloc_ms", "Wait for the decode's cache, in ms.", buckets.TRANSFER_MS);
  private readonly transferSize = transfer("total_mb", "MB.", buckets.TRANSFER_MB);
  private readonly bootstrapFailed = counter("num_bootstrap_failed_reqs_total", "Requests whose halves did not meet.");
  private readonly transferFailed = counter("num_transfer_failed_reqs_total", "Requests whose cache did not arrive.");
  private readonly httpResponses = counter("http_responses_total", "Answers over HTTP.");
  private readonly httpRequests = counter("http_requests_total", "Requests over HTTP.");

  constructor(settings: Settings) {
    this.settings = settings;
    this.isOld = settings.version === "0.5.10";
    this.front = frontLabels(settings);
    this.ranks = Array.from({ length: settings.dpSize }, (_, rank) => rankLabels(settings, rank));
    const { firstTokenBuckets, nextTokenBuckets, requestBuckets } = settings.metrics;
    const seconds = (name: string, help: string, bounds: readonly number[]) =>
      new Histogram(`sglang:${name}`, `${help}, in seconds.`, bounds);
    this.firstTokenSeconds = seconds(
      "time_to_first_token_seconds",
      "Time from arrival to the first token",
      firstTokenBuckets ?? buckets.FIRST_TOKEN,
    );
    this.nextTokenSeconds = seconds(
      "inter_token_latency_seconds",
      "Time between two tokens",
      nextTokenBuckets ?? buckets.NEXT_TOKEN,
    );
    this.requestSeconds = seconds(
      "e2e_request_latency_seconds",
      "Time from arrival to the end",
      requestBuckets ?? buckets.REQUEST,
    );
  }

  get families() {
    const { settings: _settings, isOld: _isOld, front: _front, ranks: _ranks, ...families } = this;
    return Object.values(families) as (Figure | Histogram)[];
  }

  firstToken(stream: boolean, ms: number): void {
    this.firstTokenSeconds.observe(this.requestLabels(stream), ms / 1000);
  }

  nextToken(ms: number): void {
    this.nextTokenSeconds.observe(this.front, ms / 1000);
  }

  ended({ stream, promptTokens, cachedTokens, tokens, ms, decodeMs, aborted }: RequestEnd): void {
    const labels = this.requestLabels(stream);
    if (aborted) this.abortedRequests.add(labels);
    if (aborted && tokens === 0) return;
    this.requests.add(labels);
    this.promptTokens.add(labels, promptTokens);
    this.generationTokens.add(labels, tokens);
    if (cachedTokens > 0) this.cachedTokens.add({ ...labels, cache_source: "device" }, cachedTokens);
    this.requestSeconds.observe(labels, ms / 1000);
    if (!this.isOld && tokens > 1) this.perTokenSeconds.observe(labels, decodeMs / 1000 / (tokens - 1));
    if (this.isOld && !this.settings.metrics.lengthHistograms) return;
    this.promptLengths.observe(labels, promptTokens);
    this.answerLengths.observe(labels, tokens);
    if (!this.isOld) this.uncachedLengths.observe(labels, promptTokens - cachedTokens);
  }

  queued(rank: number, ms: number): void {
    this.queueSeconds.observe(this.of(rank), ms / 1000);
  }

  stage(rank: number, stage: Stage, ms: number): void {
    this.stageSeconds.observe({ ...this.of(rank), stage }, ms / 1000);
  }

  transferred(rank: number, bytes: number, ms: number, waitedMs: number): void {
    const labels = this.of(rank);
    this.transferSpeed.observe(labels, bytes / 1e6 / Math.max(ms, Number.EPSILON));
    this.transferLatency.observe(labels, ms);
    this.transferBootstrap.observe(labels, waitedMs);
    this.transferAlloc.observe(labels, waitedMs);
    this.transferSize.observe(labels, bytes / 1e6);
  }

  failed(rank: number, what: "bootstrap" | "transfer"): void {
    (what === "bootstrap" ? this.bootstrapFailed : this.transferFailed).add(this.of(rank));
  }

  answered(endpoint: string, method: string, status: number): void {
    const labels = { ...this.settings.metrics.extraLabels, endpoint, method };
    this.httpRequests.add(labels);
    this.httpResponses.add({ ...labels, status_code: String(status) });
  }

  private of(rank: number): Labels {
    return this.ranks[rank] ?? {};
  }

  /** 0.5.23 tells streams apart. */
  private requestLabels(stream: boolean): Labels {
    return this.isOld ? this.front : { ...this.front, is_streaming: stream ? "true" : "false" };
  }
}

function counter(name: string, help: string): Figure {
  return new Figure("counter", `sglang:${name}`, help);
}

function lengths(name: string, help: string): Histogram {
  return new Histogram(`sglang:${name}`, help, buckets.LENGTH_TOKENS);
}

function transfer(name: string, help: string, bounds: readonly number[]): Histogram {
  return new Histogram(`sglang:kv_transfer_${name}`, `Of a transfer of cache: ${help}`, bounds);
}
