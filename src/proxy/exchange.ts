import { requestIdOf } from "./headers.ts";
import type { ProxyRequest } from "./types.ts";
import { Watch } from "./watch.ts";

/** One request, from its arrival to the last byte of its answer. */
export class Exchange {
  readonly request: ProxyRequest;
  readonly id: string;
  readonly watch: Watch;
  readonly #held: (() => void)[] = [];

  constructor(request: ProxyRequest, idleMsMax: number, now: () => number) {
    this.request = request;
    this.id = requestIdOf(request.headers);
    this.watch = new Watch(request.cancel, idleMsMax, now);
  }

  /** @param release gives back what is held until the exchange is over */
  hold(release: () => void): void {
    this.#held.push(release);
  }

  /** Gives back what the exchange holds. Harmless when repeated. */
  readonly end = (): void => {
    this.watch.stop();
    for (const release of this.#held.splice(0)) release();
  };
}
