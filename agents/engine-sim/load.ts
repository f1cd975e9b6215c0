/** What a rank has to do and has done, at one moment. Totals are since the start; times are simulated. */
export interface Load {
  running: number;
  waiting: number;
  /** Of prompts that wait. */
  waitingTokens: number;
  retracted: number;
  prefillBootstrap: number;
  prefillInflight: number;
  decodePrealloc: number;
  decodeTransfer: number;
  usedTokens: number;
  /** Kept beginnings of prompts, which give way when their room is needed. */
  evictableTokens: number;
  /** Context of all that decode. */
  decodeTokens: number;
  tokenRatio: number;
  /** Tokens a second since the last look. */
  generationRate: number;
  /** Share of prompt tokens that need not be computed, since the last look. */
  cacheHitRate: number;
  totals: Totals;
}

export interface Totals {
  retractions: number;
  evictedTokens: number;
  prefillSteps: number;
  prefillTokens: number;
  cachedTokens: number;
  prefillBusyMs: number;
  decodeSteps: number;
  decodedTokens: number;
}
