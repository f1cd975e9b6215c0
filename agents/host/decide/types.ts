import type { EngineAdapter, ListedWorker } from "../../../src/adapters/types.ts";
import type { DesiredWorker, JobEnd } from "../../../src/wire/index.ts";
import type { RuntimeJob } from "../runtime/types.ts";

/** An instant in milliseconds of a clock that only ever goes forward and survives a restart of the agent. */
export type Instant = number;

export type Identity = NonNullable<ReturnType<EngineAdapter["identify"]["read"]>>;

/** A question about a job: probe number n, a router's readiness, whether its port is its own, who it is, whether it is idle. */
export type Check = `probe:${number}` | "readiness" | "port" | "identify" | "idle";

/** What has come in since the last decision. `incarnation` tells which run of the job was asked. */
export type Answer =
  | {
      kind: "checked";
      job: string;
      incarnation: string;
      check: `probe:${number}` | "readiness" | "port";
      ok: boolean;
      detail: string;
    }
  | { kind: "identified"; job: string; incarnation: string; identity: Identity | null; detail: string }
  | {
      kind: "idle";
      job: string;
      incarnation: string;
      /** null: it did not say. */
      idle: boolean | null;
      /** Nothing listens on its port. */
      refused: boolean;
    }
  /** How a start goes that takes long, e.g. what of an image was fetched. */
  | { kind: "starting"; job: string; attempt: number; detail: string }
  | { kind: "start-failed"; job: string; attempt: number; detail: string }
  | { kind: "listed"; job: string; incarnation: string; workers: ListedWorker[] | null }
  | { kind: "added"; job: string; incarnation: string; url: string; ok: boolean; detail: string }
  | { kind: "removed"; job: string; incarnation: string; handle: string; ok: boolean; detail: string }
  | { kind: "reached"; url: string; ok: boolean }
  | { kind: "heard"; url: string; ok: boolean };

export interface Observed {
  /** Every job that the host's runtimes list. */
  runs: RuntimeJob[];
  /** Jobs whose start, signal or removal was under way when `runs` was read: what is listed of them may be old. */
  busy: string[];
  answers: Answer[];
}

/** What the agent shall do. Every question (`ask`, `list`, `add`, `delete`, `reach`, `hear`) is answered exactly once. */
export type Action =
  | { kind: "start"; job: string; attempt: number }
  | { kind: "signal"; job: string; signal: "SIGTERM" | "SIGKILL" }
  | { kind: "remove"; job: string }
  | { kind: "ask"; job: string; incarnation: string; check: Check }
  | { kind: "list"; job: string; incarnation: string }
  | { kind: "add"; job: string; incarnation: string; worker: DesiredWorker }
  | { kind: "delete"; job: string; incarnation: string; handle: string }
  /** Whether a connection is accepted. */
  | { kind: "reach"; url: string }
  /** Whether anything at all is answered. */
  | { kind: "hear"; url: string };

/** A question that is asked again and again. */
export interface Asking {
  waiting: boolean;
  nextAt: Instant;
}

/** Where a probe (or a router's readiness) stands in this run. */
export interface CheckMemory extends Asking {
  /** In a row. */
  passes: number;
  failures: number;
  passing: boolean;
  everPassed: boolean;
  /** Why it failed last; empty after a success. */
  detail: string;
}

/** One run of a job: from its start to its end. A restarted job is another run and starts from nothing. */
export interface RunMemory {
  incarnation: string;
  attempt: number;
  since: Instant;
  alive: boolean;
  /** When it was asked to end; null while nobody asked. */
  termAt: Instant | null;
  killNextAt: Instant | null;
  checks: Record<string, CheckMemory>;
  identify: Asking & { identity: Readonly<Identity> | null; detail: string };
  idle: Asking & {
    /** Said that it was idle last time, and the time before too. */
    once: boolean;
    twice: boolean;
  };
  ready: boolean;
  everReady: boolean;
}

export interface JobMemory {
  replica: string;
  /** The highest that was started or seen. */
  attempt: number;
  /** Set from the decision to start until the run is listed or has failed to start. */
  starting: boolean;
  /** What its runtime says of the start that is under way. */
  startDetail?: string;
  run: RunMemory | null;
  /** Instants of ends by itself within the window. */
  ends: readonly Instant[];
  endsInARow: number;
  startAfter: Instant;
  lastEnd: Readonly<JobEnd> | null;
  /** What is asked of it and since when; the instant outlives the agent's process, so that no restart resets it. */
  phase: Readonly<{ kind: "run" | "quiesce" | "stop" | "absent"; since: Instant }>;
  removeNextAt: Instant;
  router: RouterMemory | null;
}

/** What is known of a router's list. Belongs to one incarnation: a restarted router has forgotten everything. */
export interface RouterMemory extends Asking {
  incarnation: string;
  /** The list as last read; null until it was read. */
  listed: readonly Readonly<ListedWorker>[] | null;
  /** Changes were asked for since `listed` was read: nothing is concluded from it. */
  outdated: boolean;
  /** Answers to changes still to come. */
  pending: number;
  /** Handles whose removal was answered since `listed` was read. */
  removed: string[];
  /** By URL: workers that it was told of and has not listed yet. */
  offered: Record<string, { at: Instant; detail: string }>;
  /** By URL: what it was told, to know our own registrations from another's. */
  registered: Record<string, string>;
  /** By URL: the replica that was last wanted there. */
  replicas: Record<string, string>;
  synced: number;
}

/** Whether a worker of a router can be connected to, and whether it answers. */
export interface ReachMemory extends Asking {
  /** The last success, or when it was first tried. */
  since: Instant;
  /** In a row. */
  failures: number;
  /** Whether the last attempt succeeded; false before the first. */
  connects: boolean;
  /** `silent`: it did not answer when it was asked last. */
  hearing: Asking & { silent: boolean };
}

/** All that the agent remembers between decisions; plain JSON. What is read-only in it is shared by its copies. */
export interface Memory {
  jobs: Record<string, JobMemory>;
  /** By worker URL. */
  reach: Record<string, ReachMemory>;
}

export interface Decision {
  actions: Action[];
  memory: Memory;
  /** When to decide again although nothing was observed. */
  wakeInMs: number;
}
