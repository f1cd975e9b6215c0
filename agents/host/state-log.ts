import type { JobReport } from "../../src/wire/index.ts";
import type { Log } from "./log.ts";

/** Writes down each change of a job's state, once. */
export class StateLog {
  readonly #log: Log;
  #states = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  note(jobs: JobReport[]): void {
    const states = new Map<string, string>();
    for (const { job, state, attempt, message } of jobs) {
      const text = `${state} ${attempt}`;
      states.set(job, text);
      if (this.#states.get(job) === text) continue;
      const level = state === "backoff" || state === "unready" ? "warn" : "info";
      this.#log(level, `a job is ${state}`, { job, attempt, ...(message === "" ? {} : { reason: message }) });
    }
    this.#states = states;
  }
}
