/** SGLang reckons with this share of what running requests may still produce, ... */
const INITIAL = 0.7;
/** ... and, while nothing has to be taken back, comes down to this share of that ... */
const LOWEST = 0.14;
/** ... over this many decode steps. */
const DECAY_STEPS = 600;

/** No request is reckoned to produce more than this, whatever it was allowed. */
const EXPECTED_TOKENS_MAX = 4_096;

/**
 * How much cache running requests are expected to need yet. Too little and requests have to be taken back
 * (retraction), too much and the cache stands empty: so the share falls while all goes well and is set back when not.
 */
export class TokenRatio {
  private readonly initial: number;
  private ratio: number;

  /** @param conservativeness SGLang's flag; 1 by default */
  constructor(conservativeness: number) {
    this.initial = Math.min(1, INITIAL * conservativeness);
    this.ratio = this.initial;
  }

  get value(): number {
    return this.ratio;
  }

  /** Tokens that a request with this much left to produce is expected to need. */
  expected(tokensLeft: number): number {
    return Math.min(tokensLeft, EXPECTED_TOKENS_MAX) * this.ratio;
  }

  decay(): void {
    const lowest = this.initial * LOWEST;
    this.ratio = Math.max(lowest, this.ratio - (this.initial - lowest) / DECAY_STEPS);
  }

  reset(): void {
    this.ratio = this.initial;
  }
}
