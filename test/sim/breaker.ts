import * as z from "zod";
import { routerAdapter } from "../../src/adapters/index.ts";
import type { DesiredWorker } from "../../src/wire/index.ts";

/** SMG's own defaults, 1.13.0. */
const FAILURES_MAX = 10;
const OPEN_S_DEFAULT = 60;

/** What a registration says of its breaker; SMG reads only this of its `resilience` so far. */
const registration = z.object({ resilience: z.object({ cb_timeout_secs: z.number() }).partial().default({}) });

/**
 * SMG's circuit breaker of one registered worker: after ten failures in a row nothing is sent there for a while, also
 * when nobody else is there. The first failure after that opens it again.
 */
export class Breaker {
  private readonly openMs: number;
  private failures = 0;
  openedAt = Number.NEGATIVE_INFINITY;

  /** As the agent registers the worker, by the real adapter's words. */
  constructor(worker: DesiredWorker) {
    const { body } = routerAdapter("smg")!.add(worker);
    const { resilience } = registration.parse(JSON.parse(body ?? ""));
    this.openMs = (resilience.cb_timeout_secs ?? OPEN_S_DEFAULT) * 1_000;
  }

  isOpen(now: number): boolean {
    return now < this.openedAt + this.openMs;
  }

  note(ok: boolean, now: number): void {
    this.failures = ok ? 0 : this.failures + 1;
    if (this.failures >= FAILURES_MAX) this.openedAt = now;
  }
}
