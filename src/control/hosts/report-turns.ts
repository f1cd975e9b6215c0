import type { Clock } from "../clock.ts";
import { Turn } from "../turn.ts";

/** Reports that are being answered at a time, over all projects: one commit takes them all in. */
export const REPORTS_AT_ONCE = 64;

/**
 * Reports that are begun in one turn of the event loop, each of which costs half a millisecond to two. What else has come
 * in waits for that long: pings above all, without which agents would cut their links and come back all together.
 */
export const BEGUN_IN_A_TURN = 64;

/**
 * The same while hosts are connecting. A few connections are accepted in a turn, however many wait, so turns have to be
 * short for hosts to come back, and for whoever else connects meanwhile. Not one report at a time either: those that are
 * begun together are decided together, at the price of one look at a fleet.
 */
export const BEGUN_WHILE_CONNECTING = 8;

/** A report's turn: it may be read. */
export interface ReportTurn {
  /** How long it waited. */
  waitedMs: number;
  /** To be called once the report was answered. */
  over(): void;
}

interface Report {
  project: string;
  /** When it came in. */
  since: number;
}

interface Waiting {
  report: Report;
  begin(): void;
}

/** Whose report is read next: of each project one, in the order in which they came. */
export class ReportTurns {
  readonly #clock: Pick<Clock, "now">;
  readonly #turn: Turn;
  readonly #underWay = new Set<Report>();
  #isConnecting = false;
  /** What waits, by project; the first one's turn is next. */
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(clock: Pick<Clock, "now" | "turn">) {
    this.#clock = clock;
    this.#turn = new Turn(clock, () => {
      this.#begin();
      this.#isConnecting = false;
    });
  }

  /** Waits for a turn. @throws the signal's reason when it aborts first */
  async take(project: string, signal: AbortSignal): Promise<ReportTurn> {
    const since = this.#clock.now();
    const report = { project, since };
    await this.#wait(report, signal);
    return {
      waitedMs: this.#clock.now() - since,
      over: () => {
        this.#underWay.delete(report);
        this.#goOn();
      },
    };
  }

  /** Somebody has connected: more may be waiting to. */
  connected(): void {
    this.#isConnecting = true;
  }

  /** The moment up to which everything that a project's hosts have sent was read, and what follows from it is known. */
  heardUpTo(project: string): number {
    const [first] = this.#waiting.get(project) ?? [];
    let oldest = first?.report.since ?? this.#clock.now();
    for (const report of this.#underWay) if (report.project === project) oldest = Math.min(oldest, report.since);
    return oldest;
  }

  #wait(report: Report, signal: AbortSignal): Promise<void> {
    const { project } = report;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const left = () => {
        this.#remove(project, waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        report,
        begin: () => {
          signal.removeEventListener("abort", left);
          resolve();
        },
      };
      signal.addEventListener("abort", left, { once: true });
      const others = this.#waiting.get(project);
      if (others) others.add(waiting);
      else this.#waiting.set(project, new Set([waiting]));
      this.#begin();
    });
  }

  /** Begins as many as this turn allows; those that are left have the next one. */
  #begin(): void {
    const most = this.#isConnecting ? BEGUN_WHILE_CONNECTING : BEGUN_IN_A_TURN;
    for (const [project, its] of this.#waiting) {
      if (this.#underWay.size >= REPORTS_AT_ONCE || this.#turn.begun >= most) break;
      const [first] = its;
      if (!first) continue;
      this.#remove(project, first);
      // What is set anew comes last: the next report is another project's.
      if (this.#waiting.delete(project)) this.#waiting.set(project, its);
      this.#underWay.add(first.report);
      this.#turn.begun += 1;
      first.begin();
    }
    this.#goOn();
  }

  #goOn(): void {
    // Where no place is free it is the end of a report that goes on, not that of a turn: turns are not spent on waiting.
    const waits = this.#waiting.size > 0 && this.#underWay.size < REPORTS_AT_ONCE;
    if (this.#turn.begun > 0 || waits) this.#turn.end();
  }

  #remove(project: string, waiting: Waiting): void {
    const its = this.#waiting.get(project);
    its?.delete(waiting);
    if (its?.size === 0) this.#waiting.delete(project);
  }
}
