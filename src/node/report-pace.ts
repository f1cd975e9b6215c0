import { REPORT_BYTES_BURST, REPORT_BYTES_PER_S } from "./limits.ts";

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
