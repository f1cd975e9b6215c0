import type { DeliveredFile, DesiredJob } from "../../src/wire/index.ts";
import type { Action, Answer } from "./decide/types.ts";
import { type Log, reasonOf } from "./log.ts";
import type { Runtime, RuntimeJob } from "./runtime/types.ts";
import { stopEveryJob } from "./stop-jobs.ts";

/** What the runtimes listed is good for this long when they announced no change. */
const LISTED_MS_MAX = 2_000;
/** Bytes of log kept for a job on this host. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

export type RuntimeAction = Extract<Action, { kind: "start" | "signal" | "remove" }>;

/** What the runtimes had at an instant. */
interface Listed {
  runs: RuntimeJob[];
  /** Jobs with which something was under way. */
  busy: string[];
  /** Runtimes that could not say. */
  silent: Set<string>;
  at: number;
}

interface RunnerParts {
  runtimes: Runtime[];
  environment: (job: DesiredJob) => Promise<Record<string, string>>;
  /** What travels with a job, as it is when the job is first started. */
  fetchFile: (file: DeliveredFile) => Promise<Buffer>;
  /** Before an attempt of this job is started. @throws Error for people why it cannot be */
  beforeStart: (job: DesiredJob) => Promise<void>;
  /** Something may have changed: look again. */
  changed: () => void;
  log: Log;
}

/** The jobs of this host, over all its runtimes: what runs, and starting, signalling and removing it. */
export class JobRunner {
  readonly #parts: RunnerParts;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #owner = new Map<string, Runtime>();
  /** Jobs that are being started: an image may have to be fetched first, which can take long. */
  readonly #starts = new Map<string, AbortController>();
  #listed: Listed | null = null;
  /** Runtimes that could not say what they have, when they were last asked. */
  #silent = new Set<string>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    for (const runtime of parts.runtimes) runtime.onChange(() => this.#changed());
  }

  /** The runtime that has a job, as far as is known. */
  ownerOf(job: string): Runtime | null {
    return this.#owner.get(job) ?? null;
  }

  /**
   * @param known jobs that are wanted or remembered, with their runtime where it is known
   * @returns every job, and those for which this may be out of date: something was under way meanwhile, or their
   *   runtime cannot say now what it has
   */
  async list(known: { job: string; runtime: string | null }[]): Promise<{ runs: RuntimeJob[]; busy: string[] }> {
    const listed = await this.#read();
    const elapsed = performance.now() - listed.at;
    const { silent } = listed;
    const present = new Set(listed.runs.map((run) => run.job));
    const unknown = known.filter(({ job, runtime }) => {
      return !present.has(job) && (runtime === null ? silent.size > 0 : silent.has(runtime));
    });
    return {
      runs: listed.runs.map((run) => {
        const { endedMsAgo } = run;
        const ended = endedMsAgo === undefined ? {} : { endedMsAgo: endedMsAgo + elapsed };
        return { ...run, ageMs: run.ageMs + elapsed, ...ended };
      }),
      busy: [...new Set([...listed.busy, ...this.#busy.keys(), ...unknown.map(({ job }) => job)])],
    };
  }

  /** Begins what was decided for one job, step by step; `tell` hears how a start goes, and of one that failed. */
  perform(id: string, steps: RuntimeAction[], job: DesiredJob | null, tell: (answer: Answer) => void): void {
    const done = this.#performAll(steps, job, tell).finally(() => {
      this.#busy.delete(id);
      this.#changed();
    });
    this.#busy.set(id, done);
  }

  /** Gives up starting what is not to run any more. */
  giveUpStarts(isWanted: (job: string) => boolean): void {
    for (const [job, start] of this.#starts) {
      if (!isWanted(job)) start.abort(new Error("it is not wanted any more"));
    }
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

  async #read(): Promise<Listed> {
    if (this.#listed !== null && performance.now() - this.#listed.at < LISTED_MS_MAX) return this.#listed;
    const reading: Listed = { runs: [], busy: [...this.#busy.keys()], silent: new Set(), at: performance.now() };
    // A change that is announced while they are read takes this away again.
    this.#listed = reading;
    const { jobs, silent } = await this.#listAll();
    for (const { run, runtime } of jobs) this.#owner.set(run.job, runtime);
    reading.runs = jobs.map(({ run }) => run);
    reading.silent = silent;
    if (silent.size > 0) return reading;
    const present = new Set([...reading.runs.map((run) => run.job), ...this.#busy.keys(), ...reading.busy]);
    for (const job of this.#owner.keys()) if (!present.has(job)) this.#owner.delete(job);
    return reading;
  }

  /** One runtime that cannot say what it has keeps nothing from the jobs of another. */
  async #listAll(): Promise<{ jobs: { run: RuntimeJob; runtime: Runtime }[]; silent: Set<string> }> {
    const silent = new Set<string>();
    const lists = this.#parts.runtimes.map(async (runtime) => {
      try {
        return (await runtime.list()).map((run) => ({ run, runtime }));
      } catch (error) {
        silent.add(runtime.name);
        if (this.#silent.has(runtime.name)) return [];
        this.#parts.log("error", `cannot list the jobs of the ${runtime.name} runtime`, { error: reasonOf(error) });
        return [];
      }
    });
    const jobs = (await Promise.all(lists)).flat();
    this.#silent = silent;
    return { jobs, silent };
  }

  async #performAll(steps: RuntimeAction[], job: DesiredJob | null, tell: (answer: Answer) => void): Promise<void> {
    for (const step of steps) {
      try {
        await this.#perform(step, job, tell);
      } catch (error) {
        const detail = reasonOf(error);
        this.#parts.log("warn", `could not ${step.kind} a job`, { job: step.job, error: detail });
        if (step.kind === "start") tell({ kind: "start-failed", job: step.job, attempt: step.attempt, detail });
      }
    }
  }

  async #perform(step: RuntimeAction, job: DesiredJob | null, tell: (answer: Answer) => void): Promise<void> {
    const { log } = this.#parts;
    const owner = this.#owner.get(step.job);
    switch (step.kind) {
      case "start":
        if (job === null) throw new Error("it is not wanted any more");
        log("info", "starting a job", { job: step.job, attempt: step.attempt });
        await this.#start(job, step.attempt, tell);
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

  async #start(job: DesiredJob, attempt: number, tell: (answer: Answer) => void): Promise<void> {
    const runtime = this.#parts.runtimes.find((candidate) => candidate.name === job.launch.runtime);
    if (runtime === undefined) throw new Error(`this host has no ${job.launch.runtime} runtime`);
    await this.#parts.beforeStart(job);
    this.#owner.set(job.job, runtime);
    const { replica, launch, accelerators } = job;
    const env = await this.#parts.environment(job);
    const files = launch.files.map((file) => ({ path: file.path, fetch: () => this.#parts.fetchFile(file) }));
    const spec = { job: job.job, replica, attempt, launch, accelerators, env, files, logBytesMax: LOG_BYTES_MAX };
    const giveUp = new AbortController();
    this.#starts.set(job.job, giveUp);
    try {
      await runtime.start(spec, {
        signal: giveUp.signal,
        progress: (detail) => tell({ kind: "starting", job: job.job, attempt, detail }),
      });
    } finally {
      this.#starts.delete(job.job);
    }
  }
}
