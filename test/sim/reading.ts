import type { Clock } from "../../src/control/clock.ts";
import { REPORTS_AT_ONCE, ReportTurns } from "../../src/control/hosts/report-turns.ts";
import type { Report } from "../../src/wire/index.ts";
import type { World } from "./world.ts";

/** The project of hosts that are not simulated, whose reports keep a slow server busy. */
const OTHERS = "others";

/** A report that has come in and is not answered yet. */
interface Waiting {
  project: string;
  machine: string;
  since: number;
}

/**
 * How a server reads what hosts report: in the real turns, and as fast as its machine is. One that is slow has as many
 * reports of others under way as there may be but for one, so that those of the simulation are read one by one.
 */
export class Reading {
  readonly turns: ReportTurns;
  private readonly world: World;
  private readonly clock: Clock;
  private readonly waiting = new Set<Waiting>();
  /** Each ends a report of others. */
  private readonly others: (() => void)[] = [];

  constructor(world: World, clock: Clock) {
    this.world = world;
    this.clock = clock;
    this.turns = new ReportTurns(clock);
    this.setSlow(world.faults.readingMs > 0);
  }

  /** Whether the machine has much else to do. */
  setSlow(isSlow: boolean): void {
    if (!isSlow) for (const over of this.others.splice(0)) over();
    if (!isSlow || this.others.length > 0) return;
    const { signal } = new AbortController();
    for (let i = 1; i < REPORTS_AT_ONCE; i += 1) {
      void this.turns.take(OTHERS, signal).then(({ over }) => this.others.push(over));
    }
  }

  /**
   * Takes a report in when it is its turn, as src/control/hosts/host-requests.ts does.
   * @param signal aborts when nobody waits for the answer any more
   */
  async read<T>(
    project: string,
    { agent: { machine } }: Report,
    signal: AbortSignal,
    sync: (waitedMs: number) => Promise<T>,
  ): Promise<T> {
    const waiting = { project, machine, since: this.clock.now() };
    this.waiting.add(waiting);
    try {
      const { waitedMs, over } = await this.turns.take(project, signal);
      this.tell(waitedMs);
      // What it takes to read is time in which no other is read; it changes nothing for this one.
      const done = Promise.all([sync(waitedMs), this.clock.sleep(this.world.faults.readingMs)]).finally(over);
      const [answer] = await done;
      return answer;
    } finally {
      if (signal.aborted) this.world.coverage.saw("report", "given up");
      this.waiting.delete(waiting);
    }
  }

  /** Since when, by this server's clock, a report of a machine waits for its answer; null: none does. */
  unansweredSince(project: string, machine: string): number | null {
    const first = [...this.waiting].find((one) => one.project === project && one.machine === machine);
    return first?.since ?? null;
  }

  private tell(waitedMs: number): void {
    const long = waitedMs > 10_000 ? "waited longer than a host may be silent" : "waited";
    if (waitedMs > 0) this.world.coverage.saw("report", long);
  }
}
