import type { DeliveredFile, DesiredJob } from "../../src/wire/index.ts";
import type { Action, Answer } from "./decide/types.ts";
import { type Log, reasonOf } from "./log.ts";
import type { Runtime, RuntimeJob } from "./runtime/types.ts";
import { listEveryJob, stopEveryJob } from "./stop-jobs.ts";

/** What the runtimes listed is good for this long when they announced no change. */
const LISTED_MS_MAX = 2_000;
/** Bytes of log kept for a job on this host. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

export type RuntimeAction = Extract<Action, { kind: "start" | "signal" | "remove" }>;

interface RunnerParts {
  runtimes: Runtime[];
  environment: (job: DesiredJob) => Promise<Record<string, string>>;
  /** What travels with a job, as it is when the job is first started. */
  fetchFile: (file: DeliveredFile) => Promise<Buffer>;
  /** Told before an attempt of this job is started. */
  starting: (job: DesiredJob) => void;
  /** Something may have changed: look again. */
  changed: () => void;
  log: Log;
}

/** The jobs of this host, over all its runtimes: what runs, and starting, signalling and removing it. */
export class JobRunner {
  readonly #parts: RunnerParts;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #owner = new Map<string, Runtime>();
  #listed: { runs: RuntimeJob[]; busy: string[]; at: number } | null = null;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    for (const runtime of parts.runtimes) runtime.onChange(() => this.#changed());
  }

  /** The runtime that has a job, as far as is known. */
  ownerOf(job: string): Runtime | null {
    return this.#owner.get(job) ?? null;
  }

  /** @returns every job, and those for which this may be out of date since something was under way meanwhile */
  async list(): Promise<{ runs: RuntimeJob[]; busy: string[] }> {
    const listed = await this.#read();
    const elapsed = performance.now() - listed.at;
    return {
      runs: listed.runs.map((run) => ({ ...run, ageMs: run.ageMs + elapsed })),
      busy: [...new Set([...listed.busy, ...this.#busy.keys()])],
    };
  }

  /** Begins what was decided for one job, step by step; what cannot be started is told to `failed`. */
  perform(id: string, steps: RuntimeAction[], job: DesiredJob | null, failed: (answer: Answer) => void): void {
    const done = this.#performAll(steps, job, failed).finally(() => {
      this.#busy.delete(id);
      this.#changed();
    });
    this.#busy.set(id, done);
  }

  /** Until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Ends every job, wanted or not: those that do not end in time are killed. Removes their files. */
  stopAll(withinMs: number): Promise<void> {
    return stopEveryJob(this.#parts.runtimes, withinMs);
  }

  #changed(): void {
    this.#listed = null;
    this.#parts.changed();
  }

  async #read(): Promise<{ runs: RuntimeJob[]; busy: string[]; at: number }> {
    if (this.#listed !== null && performance.now() - this.#listed.at < LISTED_MS_MAX) return this.#listed;
    const reading = { runs: [] as RuntimeJob[], busy: [...this.#busy.keys()], at: performance.now() };
    // A change that is announced while they are read takes this away again.
    this.#listed = reading;
    try {
      const listed = await listEveryJob(this.#parts.runtimes);
      for (const { run, runtime } of listed) this.#owner.set(run.job, runtime);
      reading.runs = listed.map(({ run }) => run);
    } catch (error) {
      this.#listed = null;
      throw error;
    }
    const present = new Set([...reading.runs.map((run) => run.job), ...this.#busy.keys(), ...reading.busy]);
    for (const job of this.#owner.keys()) if (!present.has(job)) this.#owner.delete(job);
    return reading;
  }

  async #performAll(steps: RuntimeAction[], job: DesiredJob | null, failed: (answer: Answer) => void): Promise<void> {
    for (const step of steps) {
      try {
        await this.#perform(step, job);
      } catch (error) {
        const detail = reasonOf(error);
        this.#parts.log("warn", `could not ${step.kind} a job`, { job: step.job, error: detail });
        if (step.kind === "start") failed({ kind: "start-failed", job: step.job, attempt: step.attempt, detail });
      }
    }
  }

  async #perform(step: RuntimeAction, job: DesiredJob | null): Promise<void> {
    const { log } = this.#parts;
    const owner = this.#owner.get(step.job);
    switch (step.kind) {
      case "start":
        if (job === null) throw new Error("it is not wanted any more");
        log("info", "starting a job", { job: step.job, attempt: step.attempt });
        await this.#start(job, step.attempt);
        return;
      case "signal":
        log("info", `sending ${step.signal} to a job`, { job: step.job });
        await owner?.signal(step.job, step.signal);
        return;
      case "remove":
        log("info", "removing a job", { job: step.job });
        await owner?.remove(step.job);
    }
  }

  async #start(job: DesiredJob, attempt: number): Promise<void> {
    const runtime = this.#parts.runtimes.find((candidate) => candidate.name === job.launch.runtime);
    if (runtime === undefined) throw new Error(`this host has no ${job.launch.runtime} runtime`);
    this.#parts.starting(job);
    this.#owner.set(job.job, runtime);
    const { replica, launch, accelerators } = job;
    const env = await this.#parts.environment(job);
    const files = launch.files.map((file) => ({ path: file.path, fetch: () => this.#parts.fetchFile(file) }));
    await runtime.start({
      job: job.job,
      replica,
      attempt,
      launch,
      accelerators,
      env,
      files,
      logBytesMax: LOG_BYTES_MAX,
    });
  }
}
