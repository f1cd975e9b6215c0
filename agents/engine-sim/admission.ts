import type { KvPool } from "./kv-pool.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { contextTokens, type Sequence } from "./sequence.ts";
import type { TokenRatio } from "./token-ratio.ts";
import type { WaitingLine } from "./waiting-line.ts";

/** A part of a prompt that is computed in one step. */
export interface Chunk {
  sequence: Sequence;
  tokens: number;
  /** Tokens of context that come before it. */
  before: number;
  isFirst: boolean;
  isLast: boolean;
  /** Tokens of the prompt that need not be computed. */
  cachedTokens: number;
}

interface AdmissionParts {
  chunkedPrefillSize: number | null;
  maxPrefillTokens: number;
  maxRunning: number;
  prefixCache: boolean;
  kv: KvPool<Sequence>;
  cache: PrefixCache;
  ratio: TokenRatio;
  waiting: WaitingLine;
  running: ReadonlySet<Sequence>;
  /** Those whose prompt is being computed; added to here. */
  computing: Set<Sequence>;
}

/**
 * Chooses what the next prefill step computes. Who is admitted gets cache for all of its prompt at once; a prompt too
 * long for one step is computed over several, ahead of all others.
 */
export class Admission {
  private readonly parts: AdmissionParts;
  /** The one prompt that is computed in part. */
  private unfinished: { sequence: Sequence; before: number; cachedTokens: number } | null = null;

  constructor(parts: AdmissionParts) {
    this.parts = parts;
  }

  /** Drops a prompt that was being computed. */
  forget(sequence: Sequence): void {
    if (this.unfinished?.sequence === sequence) this.unfinished = null;
  }

  /** @returns empty when nobody waits or nobody who waits fits */
  nextBatch(): Chunk[] {
    const { waiting, computing, maxPrefillTokens } = this.parts;
    const stepMax = this.parts.chunkedPrefillSize ?? Number.POSITIVE_INFINITY;
    const batch: Chunk[] = [];
    let tokens = 0;
    const add = (chunk: Chunk) => {
      batch.push(chunk);
      tokens += chunk.tokens;
    };
    if (this.unfinished) {
      const { sequence, before, cachedTokens } = this.unfinished;
      add(this.cut(sequence, before, cachedTokens, stepMax, false));
    }
    for (let next = waiting.first; next && tokens < stepMax; next = waiting.first) {
      if (!this.fits(next)) break;
      const cachedTokens = this.cachedOf(next);
      if (batch.length > 0 && tokens + contextTokens(next) - cachedTokens > maxPrefillTokens) break;
      waiting.shift();
      this.parts.kv.take(next, contextTokens(next));
      this.parts.cache.trim(this.parts.kv.free);
      computing.add(next);
      add(this.cut(next, cachedTokens, cachedTokens, stepMax - tokens, true));
    }
    return batch;
  }

  private fits(sequence: Sequence): boolean {
    const { kv, ratio, running, computing, maxRunning } = this.parts;
    if (running.size + computing.size >= maxRunning) return false;
    let expected = contextTokens(sequence) + ratio.expected(sequence.maxTokens - sequence.produced);
    for (const set of [running, computing]) {
      for (const one of set) expected += ratio.expected(one.maxTokens - one.produced);
    }
    return kv.used + expected <= kv.capacity;
  }

  /** At least one token is computed, because the next one comes out of a computation. */
  private cachedOf(sequence: Sequence): number {
    if (!this.parts.prefixCache) return 0;
    return Math.min(this.parts.cache.match(sequence.blocks), contextTokens(sequence) - 1);
  }

  private cut(sequence: Sequence, before: number, cachedTokens: number, tokensMax: number, isFirst: boolean): Chunk {
    const left = contextTokens(sequence) - before;
    const tokens = Math.min(left, tokensMax);
    const isLast = tokens === left;
    this.unfinished = isLast ? null : { sequence, before: before + tokens, cachedTokens };
    return { sequence, tokens, before, isFirst, isLast, cachedTokens };
  }
}
