import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import { KvPool } from "./kv-pool.ts";
import { decodeStepMs, type Profile, prefillStepMs } from "./model.ts";

/** A request as the scheduler sees it. */
export interface Sequence {
  promptTokens: number;
  /** Tokens to produce here, the first included. */
  outputTokens: number;
  readonly produced: number;
  /** One more token is there: counts it in `produced` and passes it on. */
  onToken(): void;
}

export interface SchedulerOptions {
  profile: Profile;
  /** Requests that decode at once. */
  maxRunning: number;
  /** Tokens of cache. */
  maxTotalTokens: number;
  /** Tokens of one prompt computed in one step. */
  chunkedPrefillSize: number;
  /** Tokens of all prompts computed in one step. */
  maxPrefillTokens: number;
  clock: Clock;
  /** Factor on the length of each step. */
  noise(): number;
  /** Called after each prefill step and every 40th decode step, as the original logs. */
  onStep(step: { kind: "prefill" | "decode"; sequences: number; tokens: number }): void;
}

const DECODE_LOG_INTERVAL = 40;

/** A machine that slept or stood still does not catch up on more than this. */
const LAG_MS_MAX = 100;

/**
 * The engine's loop: admit, one step, emit. Prompts come first, as in the original: while one that fits is waiting, a
 * prefill step runs and decoding stands still. A sequence reserves its whole length of cache before its first step, so
 * none ever has to be taken back.
 */
export class Scheduler {
  readonly kv: KvPool;
  private readonly options: SchedulerOptions;
  private readonly waiting: Sequence[] = [];
  private readonly computing = new Set<Sequence>();
  private readonly running = new Set<Sequence>();
  /** Those that hold cache. */
  private readonly reserved = new Set<Sequence>();
  private looping = false;
  private decodeSteps = 0;
  /** When the current step ends; steps follow each other without drift. */
  private stepEnd = 0;

  constructor(options: SchedulerOptions) {
    this.options = options;
    this.kv = new KvPool(options.maxTotalTokens, () => this.wake());
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  get runningCount(): number {
    return this.running.size + this.computing.size;
  }

  /** Queues a prompt. Its cache is reserved on admission and stays so until `remove`. */
  submit(sequence: Sequence): void {
    this.waiting.push(sequence);
    this.wake();
  }

  /** Joins the decode batch with a prompt that was computed elsewhere and whose cache is reserved. */
  join(sequence: Sequence): void {
    this.running.add(sequence);
    this.wake();
  }

  /** Takes a sequence out, wherever it is, and gives back what it reserved. Idempotent. */
  remove(sequence: Sequence): void {
    const index = this.waiting.indexOf(sequence);
    if (index >= 0) this.waiting.splice(index, 1);
    this.computing.delete(sequence);
    this.running.delete(sequence);
    if (this.reserved.delete(sequence)) this.kv.release(footprint(sequence));
    this.wake();
  }

  /** Waits for cache for a sequence that is to `join`. */
  async reserve(sequence: Sequence, signal: AbortSignal): Promise<void> {
    await this.kv.reserve(footprint(sequence), signal);
    this.reserved.add(sequence);
  }

  private wake(): void {
    if (this.looping) return;
    this.looping = true;
    void this.loop();
  }

  private async loop(): Promise<void> {
    this.stepEnd = this.options.clock.now();
    for (;;) {
      const batch = this.admit();
      if (batch.length > 0) await this.prefillStep(batch);
      else if (this.running.size > 0) await this.decodeStep();
      else break;
    }
    this.looping = false;
  }

  private admit(): Sequence[] {
    const batch: Sequence[] = [];
    let tokens = 0;
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      const roomInStep = batch.length === 0 || tokens + next.promptTokens <= this.options.maxPrefillTokens;
      if (!roomInStep || this.runningCount >= this.options.maxRunning || !this.kv.tryReserve(footprint(next))) break;
      this.waiting.shift();
      this.reserved.add(next);
      this.computing.add(next);
      batch.push(next);
      tokens += next.promptTokens;
    }
    return batch;
  }

  private async prefillStep(batch: Sequence[]): Promise<void> {
    const tokens = batch.reduce((sum, sequence) => sum + sequence.promptTokens, 0);
    let ms = 0;
    for (let done = 0; done < tokens; done += this.options.chunkedPrefillSize) {
      const chunk = Math.min(this.options.chunkedPrefillSize, tokens - done);
      ms += prefillStepMs(this.options.profile, chunk, done + chunk / 2);
    }
    await this.pass(ms);
    this.options.onStep({ kind: "prefill", sequences: batch.length, tokens });
    for (const sequence of batch) {
      if (!this.computing.delete(sequence)) continue;
      if (sequence.outputTokens > 1) this.running.add(sequence);
      this.emit(sequence);
    }
  }

  private async decodeStep(): Promise<void> {
    const batch = [...this.running];
    const context = batch.reduce((sum, sequence) => sum + sequence.promptTokens + sequence.produced, 0);
    await this.pass(decodeStepMs(this.options.profile, batch.length, context));
    this.decodeSteps += 1;
    if (this.decodeSteps % DECODE_LOG_INTERVAL === 0) {
      this.options.onStep({ kind: "decode", sequences: batch.length, tokens: context });
    }
    for (const sequence of batch) if (this.running.has(sequence)) this.emit(sequence);
  }

  private emit(sequence: Sequence): void {
    sequence.onToken();
    if (sequence.produced >= sequence.outputTokens) this.running.delete(sequence);
  }

  /** Lets a step's time pass. Others always get a turn, however short it is. */
  private async pass(ms: number): Promise<void> {
    const { clock, noise } = this.options;
    this.stepEnd = Math.max(this.stepEnd, clock.now() - LAG_MS_MAX) + ms * noise();
    const left = this.stepEnd - clock.now();
    if (left > 0) await clock.sleep(left);
    else await yieldToOthers();
  }
}

/** Tokens of cache that a sequence may come to hold. */
function footprint(sequence: Sequence): number {
  return sequence.promptTokens + sequence.outputTokens;
}
