import type { Action, Decision, Observed } from "./decide/types.ts";
import type { RuntimeJob } from "./runtime/types.ts";

/** One decision: what it saw and what it led to. */
export interface LastTurn {
  /** Milliseconds since the epoch. */
  at: number;
  runs: RuntimeJob[];
  busy: string[];
  answers: number;
  actions: Action[];
  wakeInMs: number;
}

/** What has come of the decisions since the agent's start, for whoever looks at it. */
export class TurnLog {
  turns = 0;
  starts = 0;
  /** Starts of a job that had been started before. */
  restarts = 0;
  /** Attempts that could not be started at all. */
  startsFailed = 0;
  /** Questions to probes and to routers' readiness, and those of them that failed. */
  probes = 0;
  probesFailed = 0;
  last: LastTurn | null = null;

  note({ runs, busy, answers }: Observed, { actions, wakeInMs }: Decision): void {
    this.turns += 1;
    for (const action of actions) {
      if (action.kind !== "start") continue;
      this.starts += 1;
      if (action.attempt > 1) this.restarts += 1;
    }
    for (const answer of answers) {
      if (answer.kind === "start-failed") this.startsFailed += 1;
      if (answer.kind !== "checked") continue;
      this.probes += 1;
      if (!answer.ok) this.probesFailed += 1;
    }
    this.last = { at: Date.now(), runs, busy, answers: answers.length, actions, wakeInMs };
  }
}
