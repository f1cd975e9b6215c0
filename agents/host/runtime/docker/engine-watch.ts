import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "./engine.ts";
import { EngineUnreachable } from "./engine-error.ts";

/** An engine that restarts is back within a second or two; one that is gone costs a connection this often. */
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 5_000;

/**
 * Follows what the engine tells of our containers, for as long as it takes. Its word is a hint only: whoever hears of a
 * change lists again, also when the engine was lost and found, since what happened in between is not told.
 */
export class EngineWatch {
  readonly #engine: Engine;
  readonly #label: string;
  readonly #changed: () => void;
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;
  #trouble: EngineUnreachable | null = null;
  #tried: (() => void) | null = null;

  /** Resolves once the engine was reached or was not. */
  readonly tried: Promise<void> = new Promise((resolve) => {
    this.#tried = resolve;
  });

  constructor(engine: Engine, label: string, changed: () => void) {
    this.#engine = engine;
    this.#label = label;
    this.#changed = changed;
    this.#following = this.#follow();
  }

  /** Why the engine was not reached last; null: it is there. */
  get trouble(): EngineUnreachable | null {
    return this.#trouble;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    let retryMs = RETRY_MS_FIRST;
    while (!signal.aborted) {
      try {
        await this.#engine.hello();
        const events = await this.#engine.events(this.#label, signal);
        retryMs = RETRY_MS_FIRST;
        this.#found(null);
        for await (const _ of events) this.#changed();
        // The engine ends its answers when it stops.
        this.#found(new EngineUnreachable(`the Docker engine at ${this.#engine.socketPath} has stopped`));
      } catch (error) {
        if (signal.aborted) return;
        this.#found(error instanceof EngineUnreachable ? error : new EngineUnreachable((error as Error).message));
      }
      await delay(retryMs, undefined, { signal }).catch(() => {});
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
    }
  }

  #found(trouble: EngineUnreachable | null): void {
    const isNews = trouble?.message !== this.#trouble?.message || this.#tried !== null;
    this.#trouble = trouble;
    this.#tried?.();
    this.#tried = null;
    if (isNews) this.#changed();
  }
}
