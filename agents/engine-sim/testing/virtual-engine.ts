import { Engine } from "../engine.ts";
import { engineMetrics, type Metrics } from "../metrics/metrics.ts";
import { fraction } from "../random.ts";
import { readRequest } from "../request.ts";
import { RequestTimer } from "../request-timer.ts";
import type { Outcome } from "../roles/role.ts";
import { readSettings, type Settings } from "../settings.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** An engine in virtual time, with all its metrics and no HTTP. */
export class VirtualEngine {
  readonly clock = new VirtualClock();
  readonly settings: Settings;
  readonly engine: Engine;
  private readonly metrics: Metrics;
  private active = 0;

  constructor(...flags: string[]) {
    this.settings = readSettings(["--model-path", "m", "--enable-metrics", ...flags]).settings;
    this.metrics = engineMetrics(this.settings, { loadMs: 0 });
    this.engine = new Engine(this.settings, this.clock, () => {}, this.metrics.telemetry);
  }

  /** What `/metrics` says. */
  scrape(): string {
    return this.metrics.text(this.engine, this.active);
  }

  /** Serves a completion. @returns when it came, when it was over, and its outcome */
  async complete(body: Record<string, unknown>, signal = new AbortController().signal) {
    const request = readRequest("completion", body, "r", this.settings);
    const timer = new RequestTimer(this.clock, this.metrics.telemetry, request, this.settings.mode !== "prefill");
    const start = this.clock.now();
    let tokens = 0;
    let outcome: Outcome | null = null;
    this.active += 1;
    try {
      const [only] = await this.engine.generate(
        request,
        () => {
          tokens += 1;
          timer.token();
        },
        signal,
      );
      outcome = only as Outcome;
      return { start, end: this.clock.now(), outcome };
    } finally {
      this.active -= 1;
      timer.end(outcome, tokens);
    }
  }
}

/** Times between arrivals that know nothing of each other, the same for the same seed. */
export function arrivalGaps(perSecond: number, seed: number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return (-Math.log(1 - fraction(seed, drawn)) / perSecond) * 1000;
  };
}
