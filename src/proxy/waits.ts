import { LINK_WAITS_MAX, PROJECT_LINK_WAITS_MAX } from "./limits.ts";
import { count } from "./load.ts";
import type { ProxySource, ServiceEntry } from "./types.ts";

/** Requests that wait for a link to come back, so that no more do, and none for longer, than is good for the others. */
export class Waits {
  readonly #source: Pick<ProxySource, "wayBack">;
  readonly #now: () => number;
  readonly #projects = new Map<string, number>();
  /** Of all projects together. */
  #waiting = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(source: Pick<ProxySource, "wayBack">, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  /**
   * Waits until a target of a service may be reached again.
   * @param until by the clock of `now`
   * @returns false where that is not expected, too many wait already, or it did not come about in time
   * @throws the reason of `signal`, as soon as it aborts
   */
  async forWay({ project, targets }: ServiceEntry, until: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const leftMs = until - this.#now();
    const isFull = (this.#projects.get(project) ?? 0) >= PROJECT_LINK_WAITS_MAX || this.#waiting >= LINK_WAITS_MAX;
    if (leftMs <= 0 || isFull) return false;
    const release = count(this.#projects, project);
    this.#waiting += 1;
    const over = new AbortController();
    const end = () => over.abort();
    const timer = setTimeout(end, leftMs);
    signal.addEventListener("abort", end, { once: true });
    try {
      const isBack = await this.#source.wayBack(project, targets, over.signal);
      signal.throwIfAborted();
      return isBack;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      this.#waiting -= 1;
      release();
    }
  }
}
