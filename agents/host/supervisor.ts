import { setTimeout as delay } from "node:timers/promises";
import type { DesiredJob, DesiredState } from "../../src/wire/index.ts";
import type { Action, Answer, Memory } from "./decide/types.ts";
import { decide, EMPTY_MEMORY, keepMemory } from "./decide.ts";
import { type Log, reasonOf } from "./log.ts";
import type { Question } from "./questions.ts";
import type { Runtime, RuntimeJob } from "./runtime/types.ts";

/** Decisions are this far apart at least: a burst of answers is one decision. */
const ROUND_GAP_MS = 10;
/** What a runtime listed is good for this long when it announced no change. */
const LISTED_MS_MAX = 2_000;
/** A runtime that cannot list is asked again after this. */
const LIST_RETRY_MS = 1_000;
/** Bytes of log kept for a job on this host. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

type RuntimeAction = Extract<Action, { kind: "start" | "signal" | "remove" }>;

interface SupervisorParts {
  runtimes: Runtime[];
  environment: (job: DesiredJob) => Promise<Record<string, string>>;
  ask: (question: Question, job: DesiredJob | null) => Promise<Answer>;
  /** Told before an attempt of this job is started. */
  starting: (job: DesiredJob) => void;
  /** Keeps on disk what has to outlive the agent. */
  save: (desired: DesiredState | null, memory: Memory) => Promise<void>;
  /** Told after every decision. */
  decided: () => void;
  /** In ms, forward only, also across restarts of the agent. */
  now: () => number;
  log: Log;
}

/** Carries decisions out on this host and brings back what comes of them, until it is closed. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  #desired: DesiredState | null;
  /** What is to be on disk: the desired state that is being taken over, before it is acted on. */
  #held: DesiredState | null;
  #memory: Memory;
  #saved: string;
  #answers: Answer[] = [];
  readonly #busy = new Map<string, Promise<void>>();
  readonly #owner = new Map<string, Runtime>();
  #listed: { runs: RuntimeJob[]; busy: string[]; at: number } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #round: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(parts: SupervisorParts, desired: DesiredState | null, memory: Memory = EMPTY_MEMORY) {
    this.#parts = parts;
    this.#desired = this.#held = desired;
    this.#memory = memory;
    this.#saved = JSON.stringify(keepMemory(memory));
    for (const runtime of parts.runtimes) {
      runtime.onChange(() => {
        this.#listed = null;
        this.#wakeIn(0);
      });
    }
  }

  get desired(): DesiredState | null {
    return this.#desired;
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** Makes the first decision; from then on they follow by themselves. */
  async start(): Promise<void> {
    this.#begin();
    await this.#round;
  }

  /**
   * Takes over another desired state. It is on disk before it is acted on; where the disk fails it is acted on all the
   * same, since what the control plane stops must stop.
   */
  async want(desired: DesiredState): Promise<void> {
    this.#held = desired;
    await this.#save(keepMemory(this.#memory));
    this.#desired = desired;
    this.#wakeIn(0);
  }

  /** The runtime that has a job, as far as is known. */
  runtimeOf(job: string): Runtime | null {
    return this.#owner.get(job) ?? null;
  }

  /** Ends supervision; jobs go on. What was begun is brought to its end, and the last state is on disk. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    await Promise.all(this.#busy.values());
    await this.#keep();
  }

  #wakeIn(ms: number): void {
    if (this.#closed) return;
    if (this.#round !== null) {
      this.#again ||= ms === 0;
      return;
    }
    const at = performance.now() + ms;
    if (at >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#begin(), ms);
  }

  #begin(): void {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#again = false;
    this.#round = this.#decide().then(
      (wakeInMs) => this.#finish(this.#again ? 0 : wakeInMs),
      (error) => {
        this.#parts.log("error", "a decision failed", { error: reasonOf(error) });
        this.#finish(LIST_RETRY_MS);
      },
    );
  }

  #finish(wakeInMs: number): void {
    this.#round = null;
    this.#wakeIn(Math.max(ROUND_GAP_MS, wakeInMs));
  }

  /** @returns when to decide again */
  async #decide(): Promise<number> {
    const { runs, busy } = await this.#list();
    const stillBusy = [...new Set([...busy, ...this.#busy.keys()])];
    const answers = this.#answers.splice(0);
    const observed = { runs, busy: stillBusy, answers };
    const decision = decide(this.#desired, observed, this.#memory, this.#parts.now());
    this.#memory = decision.memory;
    this.#carryOut(decision.actions);
    this.#parts.decided();
    await this.#keep();
    return decision.wakeInMs;
  }

  async #list(): Promise<{ runs: RuntimeJob[]; busy: string[] }> {
    const now = this.#parts.now();
    if (this.#listed !== null && now - this.#listed.at < LISTED_MS_MAX) {
      const elapsed = now - this.#listed.at;
      return {
        runs: this.#listed.runs.map((run) => ({ ...run, ageMs: run.ageMs + elapsed })),
        busy: this.#listed.busy,
      };
    }
    const listed = { runs: [] as RuntimeJob[], busy: [...this.#busy.keys()], at: now };
    this.#listed = listed;
    try {
      for (const runtime of this.#parts.runtimes) {
        const runs = await runtime.list();
        for (const run of runs) this.#owner.set(run.job, runtime);
        listed.runs.push(...runs);
      }
    } catch (error) {
      this.#listed = null;
      throw error;
    }
    const present = new Set([...listed.runs.map((run) => run.job), ...listed.busy]);
    for (const job of this.#owner.keys()) if (!present.has(job)) this.#owner.delete(job);
    return listed;
  }

  #carryOut(actions: Action[]): void {
    const byJob = new Map<string, RuntimeAction[]>();
    for (const action of actions) {
      if (action.kind === "start" || action.kind === "signal" || action.kind === "remove") {
        byJob.set(action.job, [...(byJob.get(action.job) ?? []), action]);
      } else void this.#ask(action);
    }
    for (const [job, steps] of byJob) {
      this.#busy.set(
        job,
        this.#perform(job, steps).finally(() => {
          this.#busy.delete(job);
          this.#listed = null;
          this.#wakeIn(0);
        }),
      );
    }
  }

  async #ask(question: Question): Promise<void> {
    const job = "job" in question ? this.#jobOf(question.job) : null;
    this.#answers.push(await this.#parts.ask(question, job));
    this.#wakeIn(0);
  }

  async #perform(job: string, steps: RuntimeAction[]): Promise<void> {
    for (const step of steps) {
      try {
        await this.#step(step);
      } catch (error) {
        const detail = reasonOf(error);
        this.#parts.log("warn", `could not ${step.kind} a job`, { job, error: detail });
        if (step.kind === "start") this.#answers.push({ kind: "start-failed", job, attempt: step.attempt, detail });
      }
    }
  }

  async #step(step: RuntimeAction): Promise<void> {
    const { log } = this.#parts;
    if (step.kind === "start") {
      const job = this.#jobOf(step.job);
      if (job === null) throw new Error("it is not wanted any more");
      log("info", "starting a job", { job: step.job, attempt: step.attempt });
      await this.#start(job, step.attempt);
      return;
    }
    const runtime = this.#owner.get(step.job);
    log("info", step.kind === "remove" ? "removing a job" : `sending ${step.signal} to a job`, { job: step.job });
    if (step.kind === "remove") await runtime?.remove(step.job);
    else await runtime?.signal(step.job, step.signal);
  }

  async #start(job: DesiredJob, attempt: number): Promise<void> {
    const runtime = this.#parts.runtimes.find((candidate) => candidate.name === job.launch.runtime);
    if (runtime === undefined) throw new Error(`this host has no ${job.launch.runtime} runtime`);
    this.#parts.starting(job);
    this.#owner.set(job.job, runtime);
    const env = await this.#parts.environment(job);
    await runtime.start({
      job: job.job,
      replica: job.replica,
      attempt,
      launch: job.launch,
      env,
      logBytesMax: LOG_BYTES_MAX,
    });
  }

  #jobOf(id: string): DesiredJob | null {
    return this.#desired?.jobs.find((job) => job.job === id) ?? null;
  }

  async #keep(): Promise<void> {
    const kept = keepMemory(this.#memory);
    const text = JSON.stringify(kept);
    if (text !== this.#saved && (await this.#save(kept))) this.#saved = text;
  }

  async #save(kept: Memory): Promise<boolean> {
    try {
      await this.#parts.save(this.#held, kept);
      return true;
    } catch (error) {
      this.#parts.log("error", "cannot keep the agent's state on disk", { error: reasonOf(error) });
      return false;
    }
  }

  /** Ends every job of this host, wanted or not: those that do not end in time are killed. Removes their files. */
  async stopJobs(withinMs: number): Promise<void> {
    await this.close();
    const pollMs = 50;
    for (const runtime of this.#parts.runtimes) {
      const runs = await runtime.list();
      const alive = runs.filter((run) => run.state === "running");
      await Promise.all(alive.map((run) => runtime.signal(run.job, "SIGTERM")));
      for (let waited = 0; waited < withinMs; waited += pollMs) {
        if ((await runtime.list()).every((run) => run.state === "ended")) break;
        await delay(pollMs);
      }
      await Promise.all(runs.map((run) => runtime.remove(run.job)));
    }
  }
}
