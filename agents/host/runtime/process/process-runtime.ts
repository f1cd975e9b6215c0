import { rmSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { readBootId } from "../../inventory/boot-id.ts";
import { cacheVariables, hasOwnCache, type ModelCache } from "../../model-cache.ts";
import { findProgram } from "../../programs.ts";
import { JobTurns } from "../job-turns.ts";
import type { Runtime, RuntimeJob, StartSpec } from "../types.ts";
import { type CgroupHome, findCgroupHome, removeCgroup } from "./cgroup.ts";
import { buildCommand, findSetpriv } from "./command.ts";
import { attemptFolder, jobsFolder, logsFolder, shortHash, stoppingFile } from "./folder.ts";
import { listJobs, makeJobFolder, openStorage, prepareAttempt, removeJobFolder } from "./job-storage.ts";
import { assertReachable, type JobUser } from "./job-user.ts";
import { streamLog, tailText } from "./log-lines.ts";
import {
  anyMemberAlive,
  findMarked,
  findMembers,
  type JobProcesses,
  killMembers,
  killUntilGone,
  SUPERVISOR_MARKER,
  terminateMembers,
} from "./members.ts";
import { isAlive } from "./proc.ts";
import { type AttemptRecords, type EndRecord, type JobRecords, readJob } from "./records.ts";
import { type SupervisorOrder, spawnSupervisor } from "./spawn-supervisor.ts";
import { unpackFiles } from "./unpack.ts";

export interface ProcessRuntimeOptions {
  /** The agent's data folder, for this agent alone. Jobs live in `jobs/` inside it. */
  dataDir: string;
  /** Whom jobs run as; null = as the agent. See `resolveJobUser`. */
  user: JobUser | null;
  /** Where jobs keep the models that they download; null: nowhere. */
  cache?: ModelCache | null;
  /** False where cgroups are somebody else's: the runtime then does as it does on a host that has none. */
  cgroups?: boolean;
}

const FILES_IN_WORKING_DIR =
  "`files` go into the job's own folder, where this host runs jobs as processes, and the commands would start in " +
  "`working_dir`; leave `working_dir` out";

/** How soon the end of an adopted job, or of a supervisor, is noticed; of our own we hear at once. Some stat calls. */
const WATCH_MS = 500;

/** A supervisor that cannot do its work (a full disk) is not started again and again without a pause. */
const ADOPT_PAUSE_MS = 5_000;

/**
 * Runs jobs as plain processes. Each has a folder, a session and, where the system allows, a cgroup of its own, and a
 * supervisor (supervisor.ts) that outlives this object and the agent. Everything is read back from disk and /proc:
 * this object holds nothing that another could not find out again.
 *
 * An agent that systemd runs needs `KillMode=process` in its unit, or its restart kills the jobs, and `Delegate=yes`
 * where it is not root, or it can make no cgroups.
 * @throws Error for people when the folder cannot be used
 */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
  const dataDir = resolve(options.dataDir);
  await openStorage(dataDir, options.user);
  if (options.user !== null) assertReachable(jobsFolder(dataDir), options.user);
  const home: CgroupHome =
    options.cgroups === false
      ? { directory: null, reason: "told not to make any" }
      : findCgroupHome(`headrace-${shortHash(dataDir)}`);
  return new ProcessRuntime(dataDir, options.user, home, options.cache ?? null);
}

class ProcessRuntime implements Runtime {
  readonly name = "process";
  readonly usable = true;
  readonly storage = null;
  readonly warnings: string[] = [];
  readonly #dataDir: string;
  readonly #user: JobUser | null;
  readonly #cache: ModelCache | null;
  readonly #bootId = readBootId();
  /** Where the jobs' cgroups are made; null where none can be. */
  readonly #cgroupHome: string | null;
  readonly #listeners: (() => void)[] = [];
  /** Jobs that ran when they were last looked at; each is looked at again every WATCH_MS. */
  readonly #running = new Set<string>();
  /** Start, adoption and removal of one job never overlap. */
  readonly #turns = new JobTurns();
  readonly #adoptedAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(dataDir: string, user: JobUser | null, home: CgroupHome, cache: ModelCache | null) {
    this.#dataDir = dataDir;
    this.#user = user;
    this.#cache = cache;
    this.#cgroupHome = home.directory;
    if (home.directory === null) {
      this.warnings.push(
        `jobs have no cgroup of their own (${home.reason}): their processes are found by session and by the variable ` +
          "HEADRACE_JOB_DIR, so one that leaves its session and clears its environment can escape a stop",
      );
    }
    if (user !== null && findSetpriv() === null) {
      this.warnings.push(
        `setpriv (of util-linux) is not on this host: jobs run as ${user.name} without that user's further groups, ` +
          "so devices of the groups video and render are closed to them",
      );
    }
  }

  async list(): Promise<RuntimeJob[]> {
    const jobs: RuntimeJob[] = [];
    for (const job of listJobs(this.#dataDir)) {
      const records = readJob(this.#folder(job));
      if (records !== null) jobs.push(await this.#observe(records));
    }
    return jobs;
  }

  async start(spec: StartSpec): Promise<void> {
    await this.#turns.run(spec.job, () => this.#start(spec));
  }

  async signal(job: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const last = readJob(this.#folder(job))?.last ?? null;
    if (last === null || !this.#runs(job, last)) return;
    const stopping = stoppingFile(attemptFolder(this.#folder(job), last.attempt));
    const processes = this.#processes(job, last);
    // While the file is there the supervisor lets what outlives the main process drain; else it kills it.
    if (signal === "SIGTERM") {
      writeFileSync(stopping, "", { mode: 0o600 });
      terminateMembers(processes);
    } else {
      rmSync(stopping, { force: true });
      killMembers(processes);
    }
  }

  async remove(job: string): Promise<void> {
    await this.#turns.run(job, () => this.#remove(job));
  }

  logs(job: string, options: { tailLines: number; follow: boolean }, signal: AbortSignal): Readable {
    const jobDir = this.#folder(job);
    const replica = readJob(jobDir)?.replica;
    if (replica === undefined) return Readable.from([]);
    return streamLog(logsFolder(jobDir), replica, options, signal);
  }

  async processes(job: string): Promise<number[]> {
    const last = readJob(this.#folder(job))?.last ?? null;
    return last === null ? [] : findMembers(this.#processes(job, last));
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#listeners.length = 0;
    await this.#turns.settled();
  }

  async #start(spec: StartSpec): Promise<void> {
    const { job, attempt } = spec;
    const jobDir = this.#folder(job);
    const env = { ...(await this.#cacheVariables(spec)), ...spec.env };
    const command = buildCommand({ ...spec, env }, jobDir, this.#user);
    const known = readJob(jobDir);
    this.#refuseSecondStart(spec, known?.last ?? null);
    try {
      if (known === null) {
        if (spec.files.length > 0 && spec.launch.workingDir !== null) throw new Error(FILES_IN_WORKING_DIR);
        const fill = (making: string) => unpackFiles(spec.files, making, this.#user);
        await makeJobFolder(this.#dataDir, { job, replica: spec.replica }, this.#user, fill);
      }
      const before = known?.last?.run?.cgroup ?? null;
      // Its supervisor removed it, unless that was killed.
      if (before !== null) removeCgroup(before);
      await prepareAttempt(jobDir, this.#user);
      const cgroup = this.#cgroupHome === null ? null : join(this.#cgroupHome, `job-${job}.${attempt}`);
      await this.#spawn({ kind: "run", jobDir, attempt, logBytesMax: spec.logBytesMax, cgroup, command });
    } catch (error) {
      if (known === null) await this.#remove(job);
      throw error;
    }
    this.#watch(job);
    this.#changed();
  }

  async #cacheVariables({ launch }: StartSpec): Promise<Record<string, string>> {
    const cache = this.#cache;
    if (cache === null || hasOwnCache(Object.keys(launch.env), [])) return {};
    const user = this.#user;
    const folder = await cache.folderOf({ uid: user?.uid ?? process.getuid?.() ?? 0 }, (path) => {
      if (user !== null) assertReachable(path, user);
    });
    return folder === null ? {} : cacheVariables(folder);
  }

  /**
   * An agent that died while it started a job may have left a supervisor that has written nothing yet, so supervisors
   * are looked for in /proc as well; those of the last attempt are on record and, having told its end, about to exit.
   * Should one still slip through, only one of the two can claim the attempt.
   */
  #refuseSecondStart({ job, attempt }: StartSpec, last: AttemptRecords | null): void {
    if (last !== null && attempt <= last.attempt)
      throw new Error(`attempt ${attempt} of job ${job} was started before`);
    if (last !== null && this.#runs(job, last)) throw new Error(`attempt ${last.attempt} of job ${job} still runs`);
    const onRecord = [last?.run?.supervisor.pid, last?.supervisor?.pid];
    const others = findMarked(this.#folder(job), [SUPERVISOR_MARKER]).filter((pid) => !onRecord.includes(pid));
    if (others.length > 0) throw new Error(`job ${job} is being started`);
  }

  async #remove(job: string): Promise<void> {
    const jobDir = this.#folder(job);
    this.#running.delete(job);
    this.#adoptedAtMs.delete(job);
    const last = readJob(jobDir)?.last ?? null;
    const processes = last === null ? { jobDir, cgroup: null, main: null } : this.#processes(job, last);
    const left = await killUntilGone(processes);
    if (left.length > 0) {
      throw new Error(`job ${job} cannot be removed: its processes ${left.join(", ")} do not die when killed`);
    }
    if (processes.cgroup !== null) removeCgroup(processes.cgroup);
    if (this.#cgroupHome !== null) removeCgroup(this.#cgroupHome);
    await removeJobFolder(this.#dataDir, jobDir);
    this.#changed();
  }

  /** Starts a supervisor for a job that runs without one: nobody would read its output or tell of its end. */
  async #adopt(job: string): Promise<void> {
    const jobDir = this.#folder(job);
    const last = readJob(jobDir)?.last ?? null;
    if (last === null || last.run === null || !this.#isUnattended(job, last)) return;
    const { attempt, main } = last;
    const { cgroup, logBytesMax } = last.run;
    await this.#spawn({ kind: "adopt", jobDir, attempt, logBytesMax, cgroup, main });
  }

  async #observe(records: JobRecords): Promise<RuntimeJob> {
    const { job, replica, last } = records;
    if (last === null) {
      return {
        job,
        replica,
        attempt: 0,
        state: "ended",
        incarnation: "none",
        ageMs: 0,
        end: { ...UNKNOWN_END, tail: "" },
      };
    }
    const { attempt, run } = last;
    const common = { job, replica, attempt, incarnation: incarnationOf(last), ageMs: this.#age(run) };
    if (this.#runs(job, last)) {
      this.#watch(job);
      return { ...common, state: "running", end: null };
    }
    // Read again: the supervisor may have written how it ended, and gone, after it was read.
    const { endedUptimeMs, ...end } = readJob(this.#folder(job))?.last?.end ?? UNKNOWN_END;
    const tail = await tailText(logsFolder(this.#folder(job)), attempt);
    const ended = { ...common, state: "ended", end: { ...end, tail } } as const;
    if (endedUptimeMs === undefined || !this.#isOfThisBoot(last)) return ended;
    return { ...ended, endedMsAgo: Math.max(0, Math.round(uptime() * 1000 - endedUptimeMs)) };
  }

  /**
   * Whether any process of an attempt lives. A job whose supervisor was killed still runs while one of its processes
   * does: they hold its ports and accelerators, so starting it again would be worse than calling it alive.
   */
  #runs(job: string, attempt: AttemptRecords): boolean {
    if (!this.#isOfThisBoot(attempt) || attempt.end !== null) return false;
    return hasSupervisor(attempt) || anyMemberAlive(this.#processes(job, attempt));
  }

  #isUnattended(job: string, attempt: AttemptRecords): boolean {
    return this.#runs(job, attempt) && !hasSupervisor(attempt);
  }

  /** Where to look for an attempt's processes. After a reboot nothing that is on record names anything. */
  #processes(job: string, attempt: AttemptRecords): JobProcesses {
    const jobDir = this.#folder(job);
    if (!this.#isOfThisBoot(attempt)) return { jobDir, cgroup: null, main: null };
    return { jobDir, cgroup: attempt.run?.cgroup ?? null, main: attempt.main };
  }

  #isOfThisBoot(attempt: AttemptRecords): boolean {
    return attempt.run?.bootId === this.#bootId;
  }

  #age(run: AttemptRecords["run"]): number {
    if (run === null) return 0;
    const isOfThisBoot = run.bootId === this.#bootId;
    const age = isOfThisBoot ? uptime() * 1000 - run.startedUptimeMs : Date.now() - run.startedAtMs;
    return Math.max(0, Math.round(age));
  }

  #watch(job: string): void {
    this.#running.add(job);
    if (this.#closed) return;
    this.#timer ??= setInterval(() => this.#lookAtRunning(), WATCH_MS).unref();
  }

  #lookAtRunning(): void {
    for (const job of this.#running) {
      try {
        this.#lookAt(job);
      } catch {
        // The host is short of something, file descriptors say: it is looked at again in a moment.
      }
    }
    if (this.#running.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookAt(job: string): void {
    const last = readJob(this.#folder(job))?.last ?? null;
    if (last === null || !this.#runs(job, last)) {
      this.#running.delete(job);
      this.#changed();
    } else if (this.#isUnattended(job, last) && this.#mayAdopt(job)) {
      this.#adoptedAtMs.set(job, performance.now());
      // It is tried again after a pause; what a supervisor fails with stands in the job's supervisor.log.
      this.#turns.run(job, () => this.#adopt(job)).catch(() => {});
    }
  }

  #mayAdopt(job: string): boolean {
    const before = this.#adoptedAtMs.get(job);
    return before === undefined || performance.now() - before >= ADOPT_PAUSE_MS;
  }

  #spawn(order: SupervisorOrder): Promise<void> {
    return spawnSupervisor(findProgram("supervisor", this.#dataDir), order, () => this.#changed());
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #folder(job: string): string {
    return join(jobsFolder(this.#dataDir), job);
  }
}

/** How a run ended that nobody saw end: it was cut off by a reboot, or its supervisor was killed before it. */
const UNKNOWN_END: EndRecord = { exitCode: null, signal: null, outOfMemory: false };

/** Whether somebody reads the job's output and will tell of its end. */
function hasSupervisor({ supervisor, run }: AttemptRecords): boolean {
  const current = supervisor ?? run?.supervisor;
  return current !== undefined && isAlive(current);
}

/** The supervisor that started a run names it: there is only one on this boot with that pid and start time. */
function incarnationOf({ attempt, run }: AttemptRecords): string {
  if (run === null) return `none-${attempt}`;
  return `${run.bootId}-${run.supervisor.pid}-${run.supervisor.startTicks}`;
}
