import type { Clock } from "./clock.ts";
import type { Load, Totals } from "./load.ts";
import { NETWORK_BYTES_PER_S } from "./model.ts";
import { Network } from "./network.ts";
import { noise } from "./random.ts";
import { Scheduler, type Step } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";
import type { Settings } from "./settings.ts";

/** Standard deviation of a step's length. */
const STEP_SPREAD = 0.03;

/** A rank that decodes says so anew after this many steps; one that does not, at once. */
const PUBLISH_STEPS = 15;

/** While idle, gauges are looked at again after this long. */
const IDLE_LOG_MS = 30_000;

/** Queues outside of the scheduler; a request is in one place at a time. */
type Queue = "prefillBootstrap" | "prefillInflight" | "decodePrealloc" | "decodeTransfer";

/**
 * One data-parallel rank: a scheduler with its cache, the queues around it, and what it lets be known. Like the
 * original it shows two pictures of itself, both a little old while it decodes: `published` (`/v1/loads`) and `logged`
 * (the gauges of `/metrics` and the log).
 */
export class Rank {
  readonly index: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  private readonly clock: Clock;
  private readonly logSteps: number;
  private readonly onLog: (step: Step, load: Load) => void;
  private readonly queues: Record<Queue, number> = {
    prefillBootstrap: 0,
    prefillInflight: 0,
    decodePrealloc: 0,
    decodeTransfer: 0,
  };
  private readonly totals: Totals = {
    retractions: 0,
    evictedTokens: 0,
    prefillSteps: 0,
    prefillTokens: 0,
    cachedTokens: 0,
    prefillBusyMs: 0,
    decodeSteps: 0,
    decodedTokens: 0,
  };
  private shown: Load;
  private noted: Load;
  private notedAt: number;

  /** @param onLog called after each prefill step and every 40th decode step, as the original logs */
  constructor(index: number, settings: Settings, clock: Clock, onLog: (step: Step, load: Load) => void) {
    this.index = index;
    this.clock = clock;
    this.logSteps = settings.decodeLogInterval;
    this.onLog = onLog;
    this.network = new Network(clock, NETWORK_BYTES_PER_S[settings.network]);
    this.scheduler = new Scheduler({
      profile: settings.profile,
      maxRunning: settings.maxRunningRequests,
      maxTotalTokens: settings.maxTotalTokens,
      chunkedPrefillSize: settings.chunkedPrefillSize,
      maxPrefillTokens: settings.maxPrefillTokens,
      conservativeness: settings.conservativeness,
      reservedDecodeTokens: settings.reservedDecodeTokens,
      byPriority: settings.byPriority,
      prefixCache: settings.prefixCache,
      keepsCopies: settings.mode === "decode",
      clock,
      noise: noise(settings.seed + index, STEP_SPREAD),
      onStep: (step) => this.afterStep(step),
      onIdle: () => {
        this.publish();
        this.note();
      },
    });
    this.notedAt = clock.now();
    this.shown = this.look();
    this.noted = this.shown;
  }

  /** What `/v1/loads` says. */
  get published(): Load {
    return this.shown;
  }

  /** What the gauges of `/metrics` say. */
  get logged(): Load {
    if (!this.scheduler.isDecoding && this.clock.now() - this.notedAt >= IDLE_LOG_MS) this.note();
    return this.noted;
  }

  /** Counts a request in a queue while it is there. */
  async queued<Value>(queue: Queue, stay: Promise<Value>): Promise<Value> {
    this.queues[queue] += 1;
    this.changed();
    try {
      return await stay;
    } finally {
      this.queues[queue] -= 1;
      this.changed();
    }
  }

  /** Has a request decode whose prompt came from elsewhere, and shows it at once: it has just left its last queue. */
  join(sequence: Sequence): void {
    const wasDecoding = this.scheduler.isDecoding;
    this.scheduler.join(sequence);
    if (!wasDecoding) this.publish();
  }

  /** Something came or went. A rank that decodes publishes it with one of its next steps. */
  changed(): void {
    if (!this.scheduler.isDecoding) this.publish();
  }

  private afterStep(step: Step): void {
    const { totals } = this;
    if (step.kind === "prefill") {
      totals.prefillSteps += 1;
      totals.prefillTokens += step.tokens;
      totals.cachedTokens += step.cachedTokens;
      totals.prefillBusyMs += step.ms;
    } else {
      totals.decodeSteps += 1;
      totals.decodedTokens += step.tokens;
    }
    const isPrefill = step.kind === "prefill";
    if (isPrefill || totals.decodeSteps % PUBLISH_STEPS === 0) this.publish();
    if (!isPrefill && totals.decodeSteps % this.logSteps !== 0) return;
    this.note();
    this.onLog(step, this.noted);
  }

  private publish(): void {
    this.shown = this.look();
  }

  private note(): void {
    this.noted = this.look();
    this.notedAt = this.clock.now();
  }

  private look(): Load {
    const { scheduler, totals } = this;
    totals.retractions = scheduler.retractionsTotal;
    totals.evictedTokens = scheduler.cache.evictedTokens;
    const before = this.noted?.totals ?? totals;
    const seconds = (this.clock.now() - this.notedAt) / 1000;
    const computed = totals.prefillTokens - before.prefillTokens;
    const cached = totals.cachedTokens - before.cachedTokens;
    return {
      running: scheduler.runningCount,
      waiting: scheduler.waitingCount,
      waitingTokens: scheduler.waitingTokens,
      retracted: scheduler.retractedCount,
      ...this.queues,
      usedTokens: scheduler.kv.used,
      evictableTokens: scheduler.cache.tokens,
      decodeTokens: scheduler.decodeTokens,
      tokenRatio: scheduler.ratio.value,
      generationRate: seconds > 0 ? (totals.decodedTokens - before.decodedTokens) / seconds : 0,
      cacheHitRate: cached > 0 ? cached / (cached + computed) : 0,
      totals: { ...totals },
    };
  }
}
