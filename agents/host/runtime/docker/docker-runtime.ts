import { mkdir, readdir, rm } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { Readable } from "node:stream";
import type { JobEnd } from "../../../../src/wire/index.ts";
import { JobTurns } from "../job-turns.ts";
import type { Runtime, RuntimeJob, StartSpec, StartWatch } from "../types.ts";
import {
  ATTEMPTS_KEPT,
  type ContainerBody,
  programOf,
  withoutRefusedLimit,
  withRuntimeParts,
} from "./container-body.ts";
import {
  type Attempt,
  agentLabel,
  agentName,
  containerName,
  labelsOf,
  readLabels,
  wantedLabels,
} from "./container-names.ts";
import { Engine } from "./engine.ts";
import type { ContainerAnswer } from "./engine-answers.ts";
import { EngineRefusal, EngineUnreachable, isRefusal } from "./engine-error.ts";
import { EngineWatch } from "./engine-watch.ts";
import { explainStart } from "./explain.ts";
import { deliverFiles } from "./files.ts";
import { Images } from "./images.ts";
import { lastLines, readJobLog } from "./job-log.ts";
import { describe, endOf, incarnationOf, runs, signalOf, wasStarted } from "./observe.ts";
import { sharesPidNamespace } from "./pid-namespace.ts";

export interface DockerRuntimeOptions {
  /** Path of the engine's socket. */
  socket: string;
  /** Somebody said that there is an engine: that there is none is worth a warning. */
  expected: boolean;
  /** The agent's data folder, for this agent alone. */
  dataDir: string;
  /** What the container of a job is: image, command, environment, devices. @throws Error for people */
  body: (spec: StartSpec) => Promise<ContainerBody>;
  /** What is kept of images that this agent pulled and no job uses, in bytes. */
  unusedImageBytesMax?: number;
}

/** Two or three images of an engine: the next version, and the one to go back to. */
const UNUSED_IMAGE_BYTES_MAX = 100e9;

/** What a report carries of an ended job's log. */
const TAIL_LINES_MAX = 40;
const TAIL_CHARS_MAX = 2_048;

/** Where programs are looked for when neither the image nor the job says. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs jobs as containers of a Docker engine. Each attempt is a container of its own, with a name that follows from
 * the job and the attempt: the engine gives a name away once, so no attempt starts twice, whoever dies when. Nothing
 * of a job is kept here that the engine does not know; only the archives of its files are on the agent's disk.
 *
 * An engine that is away is no reason to give jobs up: with `live-restore` its containers run on, and what was last
 * known of them stands until it can be asked again.
 */
export async function openDockerRuntime(options: DockerRuntimeOptions): Promise<Runtime> {
  const runtime = new DockerRuntime({ ...options, dataDir: resolve(options.dataDir) });
  await runtime.opened;
  return runtime;
}

class DockerRuntime implements Runtime {
  readonly name = "docker";
  readonly opened: Promise<void>;
  readonly #options: DockerRuntimeOptions;
  readonly #engine: Engine;
  readonly #agent: string;
  readonly #watch: EngineWatch;
  readonly #images: Images;
  #storage: string | null = null;
  readonly #listeners: (() => void)[] = [];
  /** Starting and removing one job never overlap. */
  readonly #turns = new JobTurns();
  readonly #closing = new AbortController();
  /** How ended runs ended, by incarnation. */
  #ends = new Map<string, JobEnd>();
  /**
   * Containers that ran when they were last looked at, by id: what is known of such a one holds while the engine lists it
   * as running and tells of no change. To inspect each of ten at every look was most of what the agent did.
   */
  #running = new Map<string, ContainerAnswer>();
  #known: { jobs: RuntimeJob[]; at: number } | null = null;
  /** Limits that the engine was not allowed to raise. */
  readonly #refusedLimits = new Set<string>();
  #cleaning: Promise<void> = Promise.resolve();

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#engine = new Engine(options.socket);
    this.#agent = agentName(options.dataDir);
    this.#watch = new EngineWatch(this.#engine, agentLabel(this.#agent), () => this.#changed());
    this.#images = new Images(this.#engine, options.dataDir, options.unusedImageBytesMax ?? UNUSED_IMAGE_BYTES_MAX);
    this.opened = this.#watch.tried.then(() => this.#cleanUpImages());
  }

  get usable(): boolean {
    return this.#watch.trouble === null;
  }

  get storage(): string | null {
    return this.#storage;
  }

  get warnings(): string[] {
    const { trouble } = this.#watch;
    const limits = [...this.#refusedLimits].map(
      (limit) =>
        `the Docker engine may not raise the limit ${limit}, so containers run without it; raise the engine's own ` +
        `(Limit${limit.toUpperCase()}=infinity in its systemd unit)`,
    );
    if (trouble === null) return limits;
    // Most hosts that run processes have no engine and never had one.
    if (trouble.noSocket && !this.#options.expected && this.#known === null) return limits;
    return [`no container can be started or stopped: ${trouble.message}`, ...limits];
  }

  async list(): Promise<RuntimeJob[]> {
    try {
      const jobs = await this.#look();
      this.#known = { jobs, at: performance.now() };
      this.#storage ??= (await this.#engine.info()).DockerRootDir;
      return jobs;
    } catch (error) {
      if (!(error instanceof EngineUnreachable)) throw error;
      // When it is back it may keep them elsewhere.
      this.#storage = null;
      if (this.#known !== null) {
        const elapsed = performance.now() - this.#known.at;
        return this.#known.jobs.map((job) => ({ ...job, ageMs: job.ageMs + elapsed }));
      }
      // Without a socket and without a trace of any job there is no engine, and nothing to wait for.
      if (error.noSocket && !this.#options.expected && (await this.#jobFolders()).length === 0) return [];
      throw error;
    }
  }

  async start(spec: StartSpec, watch?: StartWatch): Promise<void> {
    const started = this.#turns.run(spec.job, () => this.#start(spec, watch));
    await started.finally(() => this.#changed());
  }

  async signal(job: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const last = (await this.#attempts(job)).at(-1);
    if (last !== undefined) await this.#engine.kill(last.id, signal);
  }

  async remove(job: string): Promise<void> {
    await this.#turns.run(job, async () => {
      for (const attempt of await this.#attempts(job)) await this.#discard(attempt.id);
      await rm(this.#folder(job), { recursive: true, force: true });
    });
    this.#cleanUpImages();
    this.#changed();
  }

  logs(job: string, options: { tailLines: number; follow: boolean }, signal: AbortSignal): Readable {
    const source = { engine: this.#engine, attempts: () => this.#attempts(job) };
    const until = AbortSignal.any([signal, this.#closing.signal]);
    return Readable.from(readJobLog(source, options, until), { objectMode: false });
  }

  async processes(job: string): Promise<number[] | null> {
    const last = (await this.#attempts(job)).at(-1);
    const container = last === undefined ? null : await this.#engine.inspect(last.id);
    return container === null || !runs(container) ? [] : sharesPidNamespace(container.State.Pid);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the agent ends"));
    this.#listeners.length = 0;
    await this.#watch.close();
    await this.#turns.settled();
    await this.#cleaning;
  }

  async #start(spec: StartSpec, watch: StartWatch | undefined): Promise<void> {
    const container = spec.launch.container;
    if (container === null) throw new Error("what was sent of it says nothing of a container");
    const before = await this.#clearWay(spec);
    const { signal: closing } = this.#closing;
    const signal = watch === undefined ? closing : AbortSignal.any([closing, watch.signal]);
    const progress = watch?.progress ?? (() => {});
    try {
      await mkdir(this.#folder(spec.job), { recursive: true, mode: 0o700 });
      await this.#images.ensure(container.image, container.registryAuth, progress, signal);
      await this.#run(spec, container.image);
    } catch (error) {
      if (before.length === 0) await rm(this.#folder(spec.job), { recursive: true, force: true });
      if (!(error instanceof EngineRefusal)) throw error;
      throw new Error(explainStart(container.image, error.message), { cause: error });
    }
    // One that cannot be removed now is tried again after the next start; this one runs.
    for (const old of before.slice(0, before.length + 1 - ATTEMPTS_KEPT)) await this.#discard(old.id).catch(() => {});
    this.#cleanUpImages();
  }

  /**
   * Makes sure that no other attempt runs or is about to: a container that an agent made and did not live to start is
   * removed, which the engine refuses if it was just being started after all.
   * @returns earlier attempts, oldest first
   */
  async #clearWay({ job, attempt }: StartSpec): Promise<Attempt[]> {
    const kept: Attempt[] = [];
    for (const known of await this.#attempts(job)) {
      const container = await this.#engine.inspect(known.id);
      if (container === null) continue;
      const stillRuns = new Error(`attempt ${known.attempt} of job ${job} still runs`);
      if (runs(container)) throw stillRuns;
      if (wasStarted(container)) {
        if (attempt <= known.attempt) throw new Error(`attempt ${attempt} of job ${job} was started before`);
        kept.push(known);
        continue;
      }
      await this.#engine.remove(known.id, false).catch((error) => {
        throw isRefusal(error, 409) ? stillRuns : error;
      });
    }
    return kept;
  }

  async #run(spec: StartSpec, image: string): Promise<void> {
    const labels = labelsOf(this.#agent, { ...spec, image });
    let body = withRuntimeParts(await this.#options.body(spec), labels, spec.logBytesMax);
    for (;;) {
      const refused = await this.#tryToRun(spec, body);
      if (refused === null) return;
      const less = withoutRefusedLimit(body, refused.message);
      if (less === null) throw refused;
      this.#refusedLimits.add(less.limit);
      body = less.body;
    }
  }

  /** @returns why the engine did not start the container, which is removed then; null when it runs */
  async #tryToRun(spec: StartSpec, body: ContainerBody): Promise<EngineRefusal | null> {
    const id = await this.#engine.create(containerName(this.#agent, spec), body).catch((error) => {
      throw isRefusal(error, 409) ? new Error(`attempt ${spec.attempt} of job ${spec.job} is being started`) : error;
    });
    try {
      await this.#prepare(spec, id);
      await this.#engine.start(id);
      return null;
    } catch (error) {
      // Whether an engine that fell silent started it is seen when it speaks again.
      if (error instanceof EngineUnreachable) throw error;
      await this.#discard(id);
      if (error instanceof EngineRefusal) return error;
      throw error;
    }
  }

  async #prepare(spec: StartSpec, id: string): Promise<void> {
    const container = await this.#engine.inspect(id);
    if (container === null) throw new Error("its container was removed by somebody else");
    await this.#assertProgram(spec, container);
    await deliverFiles(this.#engine, container, spec.files, this.#folder(spec.job));
  }

  /** The container's init would start, fail to find it, and leave a code of 127 and a line for its own developers. */
  async #assertProgram(spec: StartSpec, container: ContainerAnswer): Promise<void> {
    const program = programOf(spec);
    if (program === null || (program.includes("/") && !posix.isAbsolute(program))) return;
    const path = container.Config.Env?.find((one) => one.startsWith("PATH="))?.slice("PATH=".length) ?? DEFAULT_PATH;
    const candidates = posix.isAbsolute(program)
      ? [program]
      : path.split(":").map((folder) => posix.join(folder, program));
    for (const candidate of candidates) if (await this.#engine.hasPath(container.Id, candidate)) return;
    const image = spec.launch.container?.image;
    const isShell = spec.launch.container?.command.kind === "shell";
    throw new Error(
      isShell
        ? `the shell "${program}" is not in the image ${image}; name one that it has with \`shell\`, or take another image`
        : `the program "${program}" is not in the image ${image}; look at \`entrypoint\``,
    );
  }

  async #look(): Promise<RuntimeJob[]> {
    const newest = new Map<string, Attempt>();
    for (const attempt of await this.#attempts(null)) newest.set(attempt.job, attempt);
    const ends = new Map<string, JobEnd>();
    const jobs: RuntimeJob[] = [];
    // A change that is told of meanwhile makes another: what is found here is then not kept.
    const running = this.#running;
    const listed = new Set([...newest.values()].map(({ id }) => id));
    for (const id of running.keys()) if (!listed.has(id)) running.delete(id);
    for (const attempt of newest.values()) {
      const known = attempt.state === "running" ? running.get(attempt.id) : undefined;
      const container = known ?? (await this.#engine.inspect(attempt.id));
      if (container === null) continue;
      if (container.State.Status === "running") running.set(attempt.id, container);
      else running.delete(attempt.id);
      const end = runs(container) ? null : await this.#endOf(container);
      if (end !== null) ends.set(incarnationOf(container), end);
      jobs.push(describe(attempt, container, end, Date.now()));
    }
    this.#ends = ends;
    return jobs;
  }

  async #endOf(container: ContainerAnswer): Promise<JobEnd> {
    const known = this.#ends.get(incarnationOf(container));
    if (known !== undefined) return known;
    const { Id, State } = container;
    if (!wasStarted(container)) {
      return { exitCode: null, signal: null, outOfMemory: false, tail: State.Error, neverStarted: true };
    }
    const mayBeSignal = signalOf(State.ExitCode) !== null;
    const sent = mayBeSignal ? await this.#engine.signalsSent(Id, Date.parse(State.StartedAt) / 1_000) : [];
    const lines = await lastLines(this.#engine, Id, TAIL_LINES_MAX);
    const tail = Buffer.from(lines.join("\n"), "latin1").toString("utf8").slice(-TAIL_CHARS_MAX);
    return endOf(container, sent, tail);
  }

  /** The containers of one job or of all, by attempt, oldest first. */
  async #attempts(job: string | null): Promise<Attempt[]> {
    const found = await this.#engine.list(wantedLabels(this.#agent, job));
    return found
      .map(readLabels)
      .filter((attempt) => attempt !== null)
      .sort((one, other) => one.attempt - other.attempt);
  }

  /** Kills what runs of a container and removes it. One whose removal is under way already is no error. */
  async #discard(id: string): Promise<void> {
    await this.#engine.remove(id, true).catch((error) => {
      if (!(isRefusal(error, 409) && /in progress/.test(error.message))) throw error;
    });
  }

  /** In the background: no job waits for it, and one that fails is tried again when the next job comes or goes. */
  #cleanUpImages(): void {
    const used = async () => new Set((await this.#attempts(null)).map((attempt) => attempt.image));
    this.#cleaning = this.#cleaning.then(() => this.#images.cleanUp(used)).catch(() => {});
  }

  async #jobFolders(): Promise<string[]> {
    return readdir(join(this.#options.dataDir, "containers")).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
  }

  /** A job has one from its first start until it is removed, so that its trace is found without the engine. */
  #folder(job: string): string {
    return join(this.#options.dataDir, "containers", job);
  }

  #changed(): void {
    this.#running = new Map();
    for (const listener of this.#listeners) listener();
  }
}
