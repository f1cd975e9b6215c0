import type { DeliveredFile, DesiredJob, DesiredState } from "../../src/wire/index.ts";
import type { Action, Answer, Memory } from "./decide/types.ts";
import { decide, EMPTY_MEMORY, keepMemory } from "./decide.ts";
import { JobRunner, type RuntimeAction } from "./job-runner.ts";
import { type Log, reasonOf } from "./log.ts";
import type { Question } from "./questions.ts";
import type { Runtime } from "./runtime/types.ts";
import { sameJson } from "./same-json.ts";
import { TurnLog } from "./turn-log.ts";

/** Decisions are this far apart at least: a burst of answers is one decision. */
const ROUND_GAP_MS = 10;
/** A decision that failed, most likely since a runtime could not list its jobs, is made again after this. */
const ROUND_RETRY_MS = 1_000;

interface SupervisorParts {
  runtimes: Runtime[];
  environment: (job: DesiredJob) => Promise<Record<string, string>>;
  fetchFile: (file: DeliveredFile) => Promise<Buffer>;
  ask: (question: Question, job: DesiredJob | null) => Promise<Answer>;
  /** Before an attempt of this job is started. @throws Error for people why it cannot be */
  beforeStart: (job: DesiredJob) => Promise<void>;
  /** Keeps on disk what has to outlive the agent. */
  save: (desired: DesiredState | null, memory: Memory) => Promise<void>;
  /** Told after every decision. */
  decided: () => void;
  /** In ms, forward only, also across restarts of the agent. */
  now: () => number;
  log: Log;
}

/** Decides again and again, carries the decisions out and brings back what comes of them, until it is closed. */
export class Supervisor {
  readonly turns = new TurnLog();
  readonly #parts: SupervisorParts;
  readonly #runner: JobRunner;
  #desired: DesiredState | null;
  /** What is to be on disk: the desired state that is being taken over, before it is acted on. */
  #held: DesiredState | null;
  #memory: Memory;
  #saved: Memory;
  #answers: Answer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #round: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(parts: SupervisorParts, desired: DesiredState | null, memory: Memory = EMPTY_MEMORY) {
    this.#parts = parts;
    this.#desired = this.#held = desired;
    this.#memory = memory;
    this.#saved = keepMemory(memory);
    this.#runner = new JobRunner({ ...parts, changed: () => this.#wakeIn(0) });
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
    this.#runner.giveUpStarts((id) => this.#jobOf(id)?.phase.kind === "run");
    this.#wakeIn(0);
  }

  /** The runtime that has a job, as far as is known. */
  runtimeOf(job: string): Runtime | null {
    return this.#runner.ownerOf(job);
  }

  /**
   * Ends supervision; jobs go on. What was begun is brought to its end, but for an image that is being fetched, and the
   * last state is on disk.
   */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    this.#runner.giveUpStarts(() => false);
    await this.#runner.settled();
    await this.#keep();
  }

  /** Closes and ends every job of this host, wanted or not; those that do not end in time are killed. */
  async stopJobs(withinMs: number): Promise<void> {
    await this.close();
    await this.#runner.stopAll(withinMs);
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
        this.#finish(ROUND_RETRY_MS);
      },
    );
  }

  #finish(wakeInMs: number): void {
    this.#round = null;
    this.#wakeIn(Math.max(ROUND_GAP_MS, wakeInMs));
  }

  /** @returns when to decide again */
  async #decide(): Promise<number> {
    const listed = await this.#runner.list(this.#known());
    const observed = { ...listed, answers: this.#answers.splice(0) };
    const decision = decide(this.#desired, observed, this.#memory, this.#parts.now());
    this.#memory = decision.memory;
    this.turns.note(observed, decision);
    this.#carryOut(decision.actions);
    this.#parts.decided();
    await this.#keep();
    return decision.wakeInMs;
  }

  #carryOut(actions: Action[]): void {
    const byJob = new Map<string, RuntimeAction[]>();
    for (const action of actions) {
      if (action.kind === "start" || action.kind === "signal" || action.kind === "remove") {
        byJob.set(action.job, [...(byJob.get(action.job) ?? []), action]);
      } else void this.#ask(action);
    }
    for (const [job, steps] of byJob) {
      this.#runner.perform(job, steps, this.#jobOf(job), (answer) => {
        this.#answers.push(answer);
        this.#wakeIn(0);
      });
    }
  }

  async #ask(question: Question): Promise<void> {
    const job = "job" in question ? this.#jobOf(question.job) : null;
    try {
      this.#answers.push(await this.#parts.ask(question, job));
      this.#wakeIn(0);
    } catch (error) {
      // An error of ours. It costs this one answer, and not the agent.
      this.#parts.log("error", "a question failed", { question: question.kind, error: reasonOf(error) });
    }
  }

  /** Every job that is wanted or remembered; which runtime had one that is not wanted any more is not known. */
  #known(): { job: string; runtime: string | null }[] {
    const wanted = (this.#desired?.jobs ?? []).map(({ job, launch }) => ({ job, runtime: launch.runtime }));
    const others = Object.keys(this.#memory.jobs).filter((id) => this.#jobOf(id) === null);
    return [...wanted, ...others.map((job) => ({ job, runtime: null }))];
  }

  #jobOf(id: string): DesiredJob | null {
    return this.#desired?.jobs.find((job) => job.job === id) ?? null;
  }

  async #keep(): Promise<void> {
    const kept = keepMemory(this.#memory);
    if (!sameJson(kept, this.#saved) && (await this.#save(kept))) this.#saved = kept;
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
}
