import { setImmediate as yieldToOthers } from "node:timers/promises";
import { Admission, type Chunk } from "./admission.ts";
import type { Clock } from "./clock.ts";
import { KvPool } from "./kv-pool.ts";
import { decodeStepMs, type Profile, prefillStepMs } from "./model.ts";
import { Preallocation } from "./preallocation.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { contextTokens, type Sequence } from "./sequence.ts";
import { TokenRatio } from "./token-ratio.ts";
import { WaitingLine } from "./waiting-line.ts";

export interface SchedulerOptions {
  profile: Profile;
  /** Requests that run at once. */
  maxRunning: number;
  /** Tokens of cache. */
  maxTotalTokens: number;
  /** Tokens of prompt computed in one step, a long prompt being cut; null = prompts are computed whole. */
  chunkedPrefillSize: number | null;
  /** Tokens of all prompts computed in one step. */
  maxPrefillTokens: number;
  conservativeness: number;
  /** Tokens that a decode keeps free for each request it runs or has promised room. */
  reservedDecodeTokens: number;
  /** Whether requests with a higher priority go first. */
  byPriority: boolean;
  /** Whether beginnings of prompts are kept. */
  prefixCache: boolean;
  /** Whether a request whose cache was taken gets it back from a copy (a decode) or is computed again. */
  keepsCopies: boolean;
  clock: Clock;
  /** Factor on the length of each step. */
  noise(): number;
  /** Called after each step, once its tokens are out. */
  onStep(step: Step): void;
  /** Called when there is nothing more to do. */
  onIdle(): void;
}

/** What a step did. `tokens` are of prompt computed, or one for each request. */
export type Step =
  | { kind: "prefill"; sequences: number; tokens: number; cachedTokens: number; ms: number }
  | { kind: "decode"; sequences: number; tokens: number; ms: number };

/** A machine that slept or stood still does not catch up on more than this. */
const LAG_MS_MAX = 100;

/**
 * The engine's loop: admit, one step, emit. Prompts come first, as in the original: while one that fits is waiting, a
 * prefill step runs and decoding stands still. A request holds cache for what it has so far; when a decode step lacks
 * room for one token each, those with the shortest answers are taken back.
 */
export class Scheduler {
  readonly kv: KvPool<Sequence>;
  readonly cache = new PrefixCache();
  readonly ratio: TokenRatio;
  private readonly options: SchedulerOptions;
  private readonly waiting: WaitingLine;
  private readonly admission: Admission;
  private readonly preallocation: Preallocation;
  private readonly computing = new Set<Sequence>();
  private readonly running = new Set<Sequence>();
  /** Those whose cache was taken and lies in a copy. */
  private readonly retracted: Sequence[] = [];
  private retractions = 0;
  private looping = false;
  private stalled = false;
  /** When the current step ends; steps follow each other without drift. */
  private stepEnd = 0;

  constructor(options: SchedulerOptions) {
    this.options = options;
    this.kv = new KvPool(options.maxTotalTokens);
    this.ratio = new TokenRatio(options.conservativeness);
    this.waiting = new WaitingLine(options.byPriority);
    const { kv, cache, ratio, waiting, running, computing } = this;
    this.admission = new Admission({ ...options, kv, cache, ratio, waiting, running, computing });
    this.preallocation = new Preallocation(options, kv, () => this.retracted.length > 0);
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  get waitingTokens(): number {
    return this.waiting.promptTokens;
  }

  get runningCount(): number {
    return this.running.size + this.computing.size;
  }

  get retractedCount(): number {
    return this.retracted.length;
  }

  /** Since the start. */
  get retractionsTotal(): number {
    return this.retractions;
  }

  /** Context of all that decode. */
  get decodeTokens(): number {
    return sum(this.running, contextTokens);
  }

  /** Whether requests are being decoded, so that what is reported may be some steps old. */
  get isDecoding(): boolean {
    return this.looping && this.running.size > 0;
  }

  /** Queues a prompt. */
  submit(sequence: Sequence): void {
    this.waiting.add(sequence);
    this.wake();
  }

  /** Waits for cache for a prompt that is computed elsewhere and is to `join`. */
  async reserve(sequence: Sequence, signal: AbortSignal): Promise<void> {
    await this.preallocation.reserve(sequence, signal);
    this.trimCache();
  }

  /** Joins those that decode with a prompt that was computed elsewhere and whose cache is reserved. */
  join(sequence: Sequence): void {
    this.running.add(sequence);
    this.wake();
  }

  /** Takes a sequence out, wherever it is, and gives back what it holds. Idempotent. */
  remove(sequence: Sequence): void {
    this.waiting.remove(sequence);
    this.admission.forget(sequence);
    this.computing.delete(sequence);
    this.running.delete(sequence);
    const place = this.retracted.indexOf(sequence);
    if (place >= 0) this.retracted.splice(place, 1);
    this.kv.release(sequence);
    this.preallocation.grant();
    this.wake();
  }

  /** No step ends any more: the fault of an engine that hangs. */
  stall(): void {
    this.stalled = true;
  }

  private wake(): void {
    if (this.looping) return;
    this.looping = true;
    void this.loop();
  }

  private async loop(): Promise<void> {
    this.stepEnd = this.options.clock.now();
    while (!this.stalled) {
      const batch = this.admission.nextBatch();
      if (batch.length > 0) await this.prefillStep(batch);
      else {
        this.restore();
        if (this.running.size === 0) break;
        await this.decodeStep();
      }
    }
    // One that stalled is never woken again.
    this.looping = this.stalled;
    if (!this.stalled) this.options.onIdle();
  }

  private async prefillStep(batch: Chunk[]): Promise<void> {
    const { profile, noise, prefixCache } = this.options;
    const tokens = sum(batch, (chunk) => chunk.tokens);
    const context = sum(batch, (chunk) => chunk.tokens * (chunk.before + chunk.tokens / 2)) / Math.max(1, tokens);
    for (const { sequence, isFirst, cachedTokens } of batch) if (isFirst) sequence.onStart(cachedTokens);
    const ms = prefillStepMs(profile, tokens, context, noise());
    if (!(await this.pass(ms))) return;
    for (const { sequence, isLast } of batch) {
      if (!isLast || !this.computing.delete(sequence)) continue;
      if (prefixCache) this.cache.insert(sequence.blocks, this.kv.free);
      this.running.add(sequence);
      this.emit(sequence);
    }
    const cachedTokens = sum(batch, (chunk) => (chunk.isFirst ? chunk.cachedTokens : 0));
    this.options.onStep({ kind: "prefill", sequences: batch.length, tokens, cachedTokens, ms });
  }

  private async decodeStep(): Promise<void> {
    const { profile, noise } = this.options;
    this.makeRoom();
    if (this.running.size === 0) return;
    const batch = [...this.running];
    for (const sequence of batch) this.kv.take(sequence, 1);
    this.trimCache();
    const ms = decodeStepMs(profile, batch.length, sum(batch, contextTokens), noise());
    if (!(await this.pass(ms))) return;
    this.ratio.decay();
    for (const sequence of batch) if (this.running.has(sequence)) this.emit(sequence);
    this.options.onStep({ kind: "decode", sequences: batch.length, tokens: batch.length, ms });
  }

  private emit(sequence: Sequence): void {
    sequence.onToken();
    if (sequence.produced < sequence.outputTokens) return;
    this.running.delete(sequence);
    if (sequence.keepsCache) return;
    this.kv.release(sequence);
    this.preallocation.grant();
  }

  /** Takes requests back until there is a token of cache for each that is left, those with the shortest answers first. */
  private makeRoom(): void {
    while (this.kv.free < this.running.size) {
      const shortest = [...this.running].reduce((least, one) => (one.produced < least.produced ? one : least));
      this.running.delete(shortest);
      this.kv.release(shortest);
      this.retractions += 1;
      this.ratio.reset();
      if (this.options.keepsCopies) this.retracted.push(shortest);
      else this.waiting.addFirst(shortest);
    }
  }

  /** Gives those their cache back who lie in a copy, in the order in which it was taken, as far as there is room. */
  private restore(): void {
    for (let next = this.retracted[0]; next; next = this.retracted[0]) {
      // One more than it had, or its next token would take it back again.
      if (!this.preallocation.hasRoomFor(contextTokens(next) + 1)) break;
      this.retracted.shift();
      this.kv.take(next, contextTokens(next));
      this.running.add(next);
    }
    if (this.retracted.length === 0) this.preallocation.grant();
  }

  private trimCache(): void {
    this.cache.trim(this.kv.free);
  }

  /**
   * Lets a step's time pass. Others always get a turn, however short it is.
   * @returns false when the engine stalled meanwhile
   */
  private async pass(ms: number): Promise<boolean> {
    const { clock } = this.options;
    this.stepEnd = Math.max(this.stepEnd, clock.now() - LAG_MS_MAX) + ms;
    const left = this.stepEnd - clock.now();
    if (left > 0) await clock.sleep(left);
    else await yieldToOthers();
    return !this.stalled;
  }
}

function sum<Item>(items: Iterable<Item>, of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
