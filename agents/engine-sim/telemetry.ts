/** Stages of a request that are timed, as SGLang calls them. */
export type Stage =
  | "request_process"
  | "prefill_bootstrap"
  | "prefill_forward"
  | "prefill_transfer_kv_cache"
  | "decode_prepare"
  | "decode_bootstrap"
  | "decode_transferred";

/** What is told of a request when it is over. */
export interface RequestEnd {
  stream: boolean;
  promptTokens: number;
  cachedTokens: number;
  tokens: number;
  /** From its arrival. */
  ms: number;
  /** From the first token to the last. */
  decodeMs: number;
  /** Whether its client left or it failed. */
  aborted: boolean;
}

/** Told what happens to requests, as it happens. Times are simulated milliseconds; `rank` is the data-parallel one. */
export interface Telemetry {
  firstToken(stream: boolean, ms: number): void;
  nextToken(ms: number): void;
  ended(request: RequestEnd): void;
  /** From being queued to the first step. */
  queued(rank: number, ms: number): void;
  stage(rank: number, stage: Stage, ms: number): void;
  /** @param waitedMs for the decode to reserve cache */
  transferred(rank: number, bytes: number, ms: number, waitedMs: number): void;
  failed(rank: number, what: "bootstrap" | "transfer"): void;
  answered(endpoint: string, method: string, status: number): void;
}

/** For an engine that nobody scrapes. */
export const NO_TELEMETRY: Telemetry = {
  firstToken() {},
  nextToken() {},
  ended() {},
  queued() {},
  stage() {},
  transferred() {},
  failed() {},
  answered() {},
};
