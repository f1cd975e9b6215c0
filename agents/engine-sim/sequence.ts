/** A request as the scheduler sees it. */
export interface Sequence {
  readonly promptTokens: number;
  /** Tokens that it will produce here, the first included. The scheduler stops it there, and looks no earlier. */
  readonly outputTokens: number;
  /** Tokens that it was allowed: what admission has to reckon with. */
  readonly maxTokens: number;
  /** Higher goes first. */
  readonly priority: number;
  /** Names of the blocks that its prompt begins with (prefix-cache.ts). */
  readonly blocks: readonly string[];
  /** Whether its cache stays after the last token, until it is removed: a prefill still has to send it. */
  readonly keepsCache: boolean;
  readonly produced: number;
  /** Its first step begins. */
  onStart(cachedTokens: number): void;
  /** One more token is there: counts it in `produced` and passes it on. */
  onToken(): void;
}

/** Tokens of context: what a step has to look at, and what must be computed again if the cache was taken. */
export function contextTokens(sequence: Sequence): number {
  return sequence.promptTokens + sequence.produced;
}
