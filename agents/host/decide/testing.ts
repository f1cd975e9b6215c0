import type { ListedWorker } from "../../../src/adapters/types.ts";
import type { DesiredJob, DesiredState, JobEnd } from "../../../src/wire/index.ts";
import { decide, EMPTY_MEMORY, keepMemory } from "../decide.ts";
import { reportJobs, reportRouters } from "../job-report.ts";
import type { RuntimeJob } from "../runtime/types.ts";
import type { Action, Answer, Identity, Memory } from "./types.ts";

/** A job as the control plane would render it; tests name only what matters to them. */
export function desiredJob(fields: Partial<DesiredJob> = {}): DesiredJob {
  const job = fields.job ?? "w-1.0";
  return {
    job,
    replica: job.replace(/\.\d+$/, ""),
    service: "svc",
    group: "worker",
    role: "worker",
    created: 1,
    phase: { kind: "run" },
    launch: {
      runtime: "process",
      image: null,
      shell: "/bin/sh",
      script: "true",
      env: {},
      workingDir: null,
      files: [],
      container: null,
    },
    port: 8000,
    ports: [8000],
    accelerators: [],
    engine: "sglang",
    router: null,
    probes: [probe()],
    behindRouter: false,
    workers: [],
    ...fields,
  };
}

export function probe(fields: Partial<DesiredJob["probes"][number]> = {}): DesiredJob["probes"][number] {
  return {
    method: "GET",
    path: "/health",
    headers: [],
    body: null,
    timeoutMs: 1_000,
    intervalMs: 10_000,
    readyAfter: 1,
    untilReady: false,
    ...fields,
  };
}

export function exit(exitCode: number): JobEnd {
  return { exitCode, signal: null, outOfMemory: false, tail: "" };
}

interface Process {
  job: string;
  attempt: number;
  incarnation: string;
  startedAt: number;
  end: JobEnd | null;
  endedAt: number;
  /** Entries of the list of a router. */
  listed: ListedWorker[];
}

/** What the world does in answer to the agent's questions; changed by tests while time passes. */
interface World {
  probe: (process: Process, check: string) => boolean;
  identity: Identity | null;
  idle: () => boolean | null;
  refused: boolean;
  /** Whether a process ends when it is asked to. */
  obeys: boolean;
  startError: string | null;
  /** Swallow every packet: an attempt to connect times out. */
  unreachable: Set<string>;
  /** Accept connections and answer nothing. */
  silent: Set<string>;
  routerAnswers: boolean;
}

/** What a question takes; and a connection that nobody accepts or refuses, as in agents/host/reach-port.ts. */
const ANSWER_MS = 1;
const CONNECT_TIMEOUT_MS = 500;

/** One host in virtual time: acts on decisions at once and answers each question soon. */
export class VirtualHost {
  now = 1_000_000;
  memory: Memory = EMPTY_MEMORY;
  desired: DesiredState | null = null;
  readonly processes = new Map<string, Process>();
  readonly log: { at: number; action: Action }[] = [];
  readonly world: World = {
    probe: () => true,
    identity: { role: "worker", bootstrapPort: null },
    idle: () => false,
    refused: false,
    obeys: true,
    startError: null,
    unreachable: new Set(),
    silent: new Set(),
    routerAnswers: true,
  };
  /** Told of a router whenever a worker was taken out of it. */
  onRemoved: (router: Process) => void = () => undefined;
  #answers: { at: number; answer: Answer }[] = [];
  #serial = 0;
  #wakeAt = 0;

  want(jobs: DesiredJob[], version = (this.desired?.version ?? 0) + 1): void {
    this.desired = { project: "main", host: "h1", version, jobs };
    this.#wakeAt = this.now;
  }

  /** Lets time pass, deciding whenever a decision asked for it or something came in. */
  run(ms: number): void {
    const end = this.now + ms;
    for (let rounds = 0; rounds < 100_000; rounds += 1) {
      const next = Math.max(this.now, Math.min(this.#wakeAt, ...this.#answers.map(({ at }) => at)));
      if (next > end) break;
      this.now = next;
      this.#decide();
    }
    this.now = end;
  }

  end(job: string, end: JobEnd = exit(1)): void {
    const process = this.processes.get(job);
    if (process !== undefined) Object.assign(process, { end, endedAt: this.now });
    this.#wakeAt = this.now;
  }

  /** The agent's process ends and another takes over from what is on disk. */
  restartAgent(): void {
    this.memory = JSON.parse(JSON.stringify(keepMemory(this.memory))) as Memory;
    this.#answers = [];
    this.#wakeAt = this.now;
  }

  report(job = "w-1.0") {
    return reportJobs(this.desired, this.memory, this.now).find((candidate) => candidate.job === job);
  }

  router() {
    return reportRouters(this.memory)[0];
  }

  /** When actions of a kind were taken, in ms since `from`. */
  times(kind: Action["kind"], from = 1_000_000): number[] {
    return this.log.filter((entry) => entry.action.kind === kind).map((entry) => entry.at - from);
  }

  signals(): string[] {
    return this.log.flatMap(({ action }) => (action.kind === "signal" ? [action.signal] : []));
  }

  #decide(): void {
    const runs: RuntimeJob[] = [...this.processes.values()].map((process) => ({
      job: process.job,
      replica: process.job.replace(/\.\d+$/, ""),
      attempt: process.attempt,
      state: process.end === null ? "running" : "ended",
      incarnation: process.incarnation,
      ageMs: this.now - process.startedAt,
      end: process.end,
      ...(process.end === null ? {} : { endedMsAgo: this.now - process.endedAt }),
    }));
    const answers = this.#answers.filter(({ at }) => at <= this.now).map(({ answer }) => answer);
    this.#answers = this.#answers.filter(({ at }) => at > this.now);
    // What is frozen throws when it is changed: a decision leaves the memory that it was given as it is.
    const decision = decide(this.desired, { runs, busy: [], answers }, frozen(this.memory), this.now);
    this.memory = decision.memory;
    this.#wakeAt = this.now + decision.wakeInMs;
    for (const action of decision.actions) this.#act(action);
  }

  #act(action: Action): void {
    this.log.push({ at: this.now, action });
    const { world } = this;
    const process = "job" in action ? this.processes.get(action.job) : undefined;
    switch (action.kind) {
      case "start":
        this.#start(action.job, action.attempt);
        return;
      case "signal":
        if (process !== undefined && (world.obeys || action.signal === "SIGKILL")) this.end(action.job, exit(0));
        return;
      case "remove":
        this.processes.delete(action.job);
        this.#wakeAt = this.now;
        return;
      case "reach":
        this.#reach(action.url);
        return;
      case "hear":
        this.#answerIn(ANSWER_MS, { kind: "heard", url: action.url, ok: !world.silent.has(action.url) });
        return;
      case "ask":
        this.#answerIn(ANSWER_MS, this.#answer(action, process!));
        return;
      default:
        this.#answerIn(ANSWER_MS, this.#route(action, process!));
    }
  }

  #start(job: string, attempt: number): void {
    if (this.world.startError !== null) {
      this.#answerIn(ANSWER_MS, { kind: "start-failed", job, attempt, detail: this.world.startError });
      return;
    }
    if (this.processes.get(job)?.end === null) throw new Error(`${job} was started while an attempt of it lives`);
    this.#serial += 1;
    const incarnation = `run-${this.#serial}`;
    this.processes.set(job, { job, attempt, incarnation, startedAt: this.now, end: null, endedAt: 0, listed: [] });
    this.#wakeAt = this.now;
  }

  #answerIn(ms: number, answer: Answer): void {
    this.#answers.push({ at: this.now + ms, answer });
  }

  #reach(url: string): void {
    const ok = !this.world.unreachable.has(url);
    this.#answerIn(ok ? ANSWER_MS : CONNECT_TIMEOUT_MS, { kind: "reached", url, ok });
  }

  #answer(action: Extract<Action, { kind: "ask" }>, process: Process): Answer {
    const { world } = this;
    const { job, incarnation, check } = action;
    if (check === "identify") return { kind: "identified", job, incarnation, identity: world.identity, detail: "" };
    if (check === "idle") return { kind: "idle", job, incarnation, idle: world.idle(), refused: world.refused };
    const ok = world.probe(process, check);
    return { kind: "checked", job, incarnation, check, ok, detail: ok ? "" : "answered 503" };
  }

  /** A router that lists at once, and drops what is removed at once. */
  #route(action: Extract<Action, { kind: "list" | "add" | "delete" }>, process: Process): Answer {
    const { job, incarnation } = action;
    if (action.kind === "list") {
      const workers = this.world.routerAnswers ? structuredClone(process.listed) : null;
      return { kind: "listed", job, incarnation, workers };
    }
    const ok = this.world.routerAnswers;
    const detail = ok ? "" : "answered 500";
    if (action.kind === "add") {
      const { url, role, labels, bootstrapPort } = action.worker;
      if (ok) process.listed.push({ handle: `id-${url}`, url, status: "ready", role, labels, bootstrapPort });
      return { kind: "added", job, incarnation, url, ok, detail };
    }
    if (ok) {
      process.listed = process.listed.filter((entry) => entry.handle !== action.handle);
      this.onRemoved(process);
    }
    return { kind: "removed", job, incarnation, handle: action.handle, ok, detail };
  }
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
