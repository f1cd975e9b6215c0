import type { Clock } from "./clock.ts";
import type { GenerateRequest } from "./request.ts";
import type { Outcome } from "./roles/role.ts";
import type { Telemetry } from "./telemetry.ts";

/** Times one answer of a request from the request's arrival, and tells of it. */
export class RequestTimer {
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly request: GenerateRequest;
  /** A prefill has no first token to speak of: its answer is read by nobody. */
  private readonly timesTokens: boolean;
  private readonly start: number;
  private firstAt: number | null = null;
  private lastAt = 0;

  constructor(clock: Clock, telemetry: Telemetry, request: GenerateRequest, timesTokens: boolean) {
    this.clock = clock;
    this.telemetry = telemetry;
    this.request = request;
    this.timesTokens = timesTokens;
    this.start = clock.now();
  }

  token(): void {
    const now = this.clock.now();
    if (this.timesTokens) {
      if (this.firstAt === null) this.telemetry.firstToken(this.request.stream, now - this.start);
      else this.telemetry.nextToken(now - this.lastAt);
    }
    this.firstAt ??= now;
    this.lastAt = now;
  }

  /** @param outcome null when the client left or the engine failed */
  end(outcome: Outcome | null, tokens: number): void {
    this.telemetry.ended({
      stream: this.request.stream,
      promptTokens: this.request.promptTokens,
      cachedTokens: outcome?.cachedTokens ?? 0,
      tokens,
      ms: this.clock.now() - this.start,
      decodeMs: this.firstAt === null ? 0 : this.lastAt - this.firstAt,
      aborted: outcome === null,
    });
  }
}
