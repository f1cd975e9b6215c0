import { prefixBlocks } from "./prefix-cache.ts";
import type { Strand } from "./request.ts";
import type { Sequence } from "./sequence.ts";

/** A sequence that tells its request of each token. */
export class RequestSequence implements Sequence {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly maxTokens: number;
  readonly priority: number;
  readonly keepsCache: boolean;
  produced = 0;
  cachedTokens = 0;
  /** Settles when its first step begins. */
  readonly started: Promise<void>;
  /** Settles with the last token. */
  readonly done: Promise<void>;
  private readonly strand: Strand;
  private readonly start: () => void;
  private readonly finish: () => void;
  private readonly tell: (index: number) => void;
  private hasStarted = false;
  private names: string[] | null = null;

  /** @param part what is done of it here: the prompt and the first token (a prefill), or all */
  constructor(strand: Strand, part: "prefill" | "whole", tell: (index: number) => void) {
    this.strand = strand;
    this.promptTokens = strand.promptTokens;
    this.outputTokens = part === "prefill" ? 1 : strand.answer.tokens;
    this.maxTokens = part === "prefill" ? 1 : strand.maxTokens;
    this.priority = strand.priority;
    this.keepsCache = part === "prefill";
    this.tell = tell;
    ({ promise: this.started, resolve: this.start } = Promise.withResolvers<void>());
    ({ promise: this.done, resolve: this.finish } = Promise.withResolvers<void>());
  }

  /** Named when somebody asks: only where beginnings of prompts are kept. */
  get blocks(): readonly string[] {
    this.names ??= prefixBlocks(this.strand.prompt);
    return this.names;
  }

  onStart(cachedTokens: number): void {
    // One that was taken back starts again, but has waited and was found in the cache only once.
    if (this.hasStarted) return;
    this.hasStarted = true;
    this.cachedTokens = cachedTokens;
    this.start();
  }

  onToken(): void {
    this.produced += 1;
    this.tell(this.produced - 1);
    if (this.produced >= this.outputTokens) this.finish();
  }
}
