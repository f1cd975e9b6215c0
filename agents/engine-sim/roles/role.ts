import { EngineError } from "../errors.ts";
import type { Rank } from "../rank.ts";
import type { Strand } from "../request.ts";

/** One answer to be given, on the rank that gives it. */
export interface Job {
  strand: Strand;
  rank: Rank;
  /** Called for each token of the answer, from 0. */
  onToken(index: number): void;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
}

export interface Outcome {
  finish: "stop" | "length";
  tokens: number;
  /** Tokens of the prompt that need not be computed. */
  cachedTokens: number;
  /** Who took the other half: the decode's address for a prefill and the other way round; null without one. */
  peer: string | null;
}

/** What an engine does with a request: all of it, the prompt, or what comes after. */
export interface Role {
  /** @throws EngineError when it fails; the signal's reason when the client left */
  serve(job: Job): Promise<Outcome>;
}

/** Says which queue a request timed out in. */
export function orTimedOut(error: unknown, timeout: AbortSignal, queue: string): unknown {
  return timeout.aborted && error === timeout.reason ? new EngineError(500, `timed out in the ${queue} queue`) : error;
}
