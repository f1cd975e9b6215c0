import type { Readable } from "node:stream";
import type { DesiredJob, JobEnd } from "../../../src/wire/index.ts";

/** A file or folder that travels with a job. */
export interface Delivery {
  /** As in `DeliveredFile`. */
  path: string;
  /** The tar archive. @throws Error for people when it cannot be had */
  fetch(): Promise<Buffer>;
}

/** What a runtime is told to run: the launch of a desired job with what only the host knows added. */
export interface StartSpec {
  job: string;
  replica: string;
  attempt: number;
  launch: DesiredJob["launch"];
  /** Indices of the host's accelerators promised to it; the environment already says which it may use. */
  accelerators: number[];
  /** The complete environment, host's additions included. */
  env: Record<string, string>;
  /** Asked for when the job is first started; it keeps them over its attempts. */
  files: Delivery[];
  /** Bytes of log kept on disk for the job, over all its files. */
  logBytesMax: number;
}

/** A job as the host has it, found by what the runtime keeps on disk: also after the agent was restarted. */
export interface RuntimeJob {
  job: string;
  replica: string;
  attempt: number;
  /** `running`: at least one process of it lives. `ended`: none does. */
  state: "running" | "ended";
  /** Distinguishes this run from any other, e.g. boot id, pid and start time. */
  incarnation: string;
  /** Age of the run in ms. */
  ageMs: number;
  /** Set when `ended`. */
  end: JobEnd | null;
  /** How long ago it ended, where its runtime knows by a clock that nobody sets; else it ended when that was seen. */
  endedMsAgo?: number;
}

/** What goes on while a job is started, which may take long where an image must be fetched first. */
export interface StartWatch {
  /** Aborted when the job is not wanted any more: a start that has not begun to run anything is given up. */
  signal: AbortSignal;
  /** Told what is being done, in words for people; each text is new. */
  progress: (text: string) => void;
}

/** Runs jobs on this host. One contract suite holds for every implementation. */
export interface Runtime {
  readonly name: "process" | "docker";
  /** Whether jobs can be started now. */
  readonly usable: boolean;
  /** The folder that its engine keeps images and containers in; null: there is none, or it is not known. */
  readonly storage: string | null;
  /** Things an operator should know, e.g. that jobs are not confined by a cgroup. */
  readonly warnings: string[];
  /**
   * Every job that this runtime has on the host: adoption after a restart is just this.
   * @throws Error when it cannot be known, and was not known before; then nothing may be concluded about any job of it
   */
  list(): Promise<RuntimeJob[]>;
  /**
   * Starts an attempt. Refuses when an earlier attempt of the job still lives.
   * @throws Error with a message for people when it cannot be started at all (no such shell, no permission).
   */
  start(spec: StartSpec, watch?: StartWatch): Promise<void>;
  /** Sends a signal to every process of the job. No error when it has ended. */
  signal(job: string, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Kills what is left of the job, escaped children included, and removes its files. Idempotent. */
  remove(job: string): Promise<void>;
  /**
   * The job's log as newline-separated JSON `logLine`s, from `tailLines` before the end over all attempts kept;
   * with `follow` until `signal` aborts or the job is removed.
   */
  logs(job: string, options: { tailLines: number; follow: boolean }, signal: AbortSignal): Readable;
  /** The pids of every living process of the job, as this process sees them; null where they cannot be known. */
  processes(job: string): Promise<number[] | null>;
  /** Called when something may have changed; the caller lists again. */
  onChange(listener: () => void): void;
  /** Stops watching; leaves the jobs running. */
  close(): Promise<void>;
}
