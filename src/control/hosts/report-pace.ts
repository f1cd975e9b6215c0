/**
 * What the hosts of one project may report together. Five thousand hosts with ten jobs each send 5 MB/s; reading this
 * much takes about a quarter of a core, so that the other projects always have the rest.
 */
export const REPORT_BYTES_PER_S = 8 * 1024 * 1024;

/** What they may send at once after they were quiet: all of those hosts that come back together. */
export const REPORT_BYTES_BURST = 64 * 1024 * 1024;

const BURST_MS = (REPORT_BYTES_BURST / REPORT_BYTES_PER_S) * 1_000;

/** How fast each project's hosts are listened to. What is beyond it waits unread, on its sender's side of the link. */
export class ReportPace {
  readonly #now: () => number;
  /** When what a project has sent would have been sent at the steady rate. */
  readonly #paidUntil = new Map<string, number>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns how long a project has to wait now, in ms; 0: its next report may be read */
  waitMs(project: string): number {
    return Math.max(0, (this.#paidUntil.get(project) ?? 0) - BURST_MS - this.#now());
  }

  /** Something of a project was read. */
  spend(project: string, bytes: number): void {
    const from = Math.max(this.#paidUntil.get(project) ?? 0, this.#now());
    this.#paidUntil.set(project, from + (bytes / REPORT_BYTES_PER_S) * 1_000);
  }
}
