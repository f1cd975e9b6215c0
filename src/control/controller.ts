import type { AgentBuilds } from "../core/hosts/agent-builds.ts";
import type { Answer, Effect, Input } from "../core/input.ts";
import { observe, type ProjectState, projectState, takeChanges, takeDue, takeOver } from "../core/project-state.ts";
import type { Millis } from "../core/state.ts";
import { type StepResult, step } from "../core/step.ts";
import { StoreError } from "../store/errors.ts";
import {
  type CommitBatch,
  type Credential,
  type IdempotencyRecord,
  type SealedSecret,
  type Store,
  UnclearOutcome,
} from "../store/types.ts";
import type { Report } from "../wire/index.ts";
import type { Clock } from "./clock.ts";
import { refusalOf } from "./refusal.ts";
import { refusedRequests } from "./refused-requests.ts";
import { ControlError } from "./types.ts";

/** Inputs that wait for their turn; more are refused, so that one project cannot fill the process. */
const QUEUED_INPUTS_MAX = 5_000;
/** Inputs folded into one commit. */
const FOLDED_INPUTS_MAX = 256;
/**
 * Between two decisions there is as much time at least as the first one took, in which inputs gather, and no more than
 * this. What the database takes counts towards it.
 */
const REST_MS_MAX = 250;
/** Requests remembered in memory; older ones are found in the database. */
const REMEMBERED_REQUESTS_MAX = 2_000;
/** Waits between attempts to learn the fate of a batch: doubled each time up to the maximum, without an end. */
const UNCLEAR_RETRY_MS = { first: 50, max: 5_000 };
/**
 * Rounds of finding the database locked, of one to two seconds each, before whoever waits is told that nothing was
 * changed. Nobody holds the lock that long but a backup or a process that hangs.
 */
const LOCKED_ROUNDS_MAX = 5;
/** Conflicts in a row after which the other writer is left in charge for a moment. */
const CONFLICTS_IN_A_ROW_MAX = 5;

/** One thing that is asked of the state machine, with what must be written in the same commit. */
export interface Request {
  input: Input;
  /** Names the input for ever, so that it is never consumed twice; null for what may be. */
  id: string | null;
  cause: string;
  actor: string;
  secrets?: SealedSecret[];
  /** Hash of the credential that a host joins with: it is not taken in once that is gone. */
  reliesOn?: string;
  /** A token that is made. */
  credential?: Credential;
  /** Id of a token that is revoked, unless it is the last admin's. */
  revokedToken?: string;
  /** For requests of users; `record` makes what answers a repeated one from the answer and the commit's version. */
  idempotency?: { key: string; record(answer: Answer, version: number): IdempotencyRecord };
}

export interface Consumed {
  answer: Answer;
  /** The commit that holds it, or the current one when nothing had to be written. */
  version: number;
  /** Set when the request was consumed before, by this controller or by another: the answer that it got. */
  repeatedAs?: IdempotencyRecord;
}

interface Waiting {
  request: Request;
  resolve(consumed: Consumed): void;
  reject(error: unknown): void;
}

export interface ControllerOptions {
  project: string;
  store: Store;
  clock: Clock;
  /** Random id of a commit. */
  newId(): string;
  /** The builds of the agent that hosts can be given. */
  builds: AgentBuilds;
  /** Hosts whose link ends here now. */
  present(): Iterable<string>;
  /** Since when the project's hosts are listened to; asked once, when the state is read first. */
  listeningSince(): Millis;
  /** The moment up to which all that the project's hosts have sent was taken in. */
  heardUpTo(): Millis;
  /** Carries out an effect; must not throw. */
  runEffect(effect: Effect): void;
  /** Called after each commit that this controller wrote, or whose state it loaded (`reloaded`). */
  committed(version: number, reloaded: boolean): void;
  /** Called when another writer had made the version that this one was about to make. */
  overtaken(): void;
  /** Called with what broke a step or a commit, for the log; those who wait are told as well. */
  failed(error: unknown): void;
}

/**
 * The one writer of a project. Inputs queue while a commit is in flight; then all that wait are folded through `step`
 * and written once, and nobody is answered before that. Another writer is noticed by its commit: then the state is
 * read again and what was not consumed is stepped again.
 */
export class Controller {
  private readonly options: ControllerOptions;
  private loaded: ProjectState | null = null;
  /** A step or a commit broke: what is stored is read again before the next. */
  private doubted = false;
  private loading: Promise<void> | null = null;
  private readonly queue: Waiting[] = [];
  /** Requests by id that wait or were consumed lately, with what answers a repeated one. */
  private readonly requests = new Map<string, Promise<IdempotencyRecord | null>>();
  private running = false;
  private closed = false;
  private cancelWake: (() => void) | null = null;
  private restUntil = 0;

  constructor(options: ControllerOptions) {
    this.options = options;
  }

  /** The committed state, loaded on first use. Callers read it and never change it. */
  async state(): Promise<ProjectState> {
    if (!this.loaded || this.doubted) await this.load();
    return this.loaded as ProjectState;
  }

  /** The committed state if it was loaded. */
  get current(): ProjectState | null {
    return this.loaded;
  }

  /** Takes one input and answers once it is committed. @throws ControlError `too_many` when too many wait */
  submit(request: Request): Promise<Consumed> {
    if (this.closed) return Promise.reject(new ControlError("unavailable", "the server is shutting down"));
    if (this.queue.length >= QUEUED_INPUTS_MAX) {
      return Promise.reject(new ControlError("too_many", "too many changes of this project are waiting; try again"));
    }
    const key = request.idempotency ? request.id : null;
    const before = key === null ? undefined : this.requests.get(key);
    if (before) return before.then((record) => this.repeat(request, record));
    const consumed = this.enqueue(request);
    if (key !== null) this.remember(key, request, consumed);
    return consumed;
  }

  private enqueue(request: Request): Promise<Consumed> {
    return new Promise((resolve, reject) => {
      this.queue.push({ request, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  /** The same request again: the first one's answer, or, when that one was refused or failed, a try of its own. */
  private async repeat(request: Request, record: IdempotencyRecord | null): Promise<Consumed> {
    // Through `submit`, since others may repeat it at the same time.
    if (!record) return this.submit(request);
    return { answer: { kind: "done" }, version: this.loaded?.version ?? 0, repeatedAs: record };
  }

  private remember(id: string, request: Request, consumed: Promise<Consumed>): void {
    const record = consumed.then(
      ({ answer, version, repeatedAs }) =>
        repeatedAs ?? (answer.kind === "refused" ? null : (request.idempotency?.record(answer, version) ?? null)),
      () => null,
    );
    this.requests.set(id, record);
    record.then((made) => {
      if (!made) this.requests.delete(id);
    });
    for (const oldest of this.requests.keys()) {
      if (this.requests.size <= REMEMBERED_REQUESTS_MAX) break;
      this.requests.delete(oldest);
    }
  }

  /** Keeps what a host reported and decides what follows from it. */
  async report(host: string, report: Report): Promise<void> {
    const state = await this.state();
    const before = state.observed.get(host);
    const { unreached } = observe(state, host, report, this.options.clock.now());
    const request = { id: null, cause: "report", actor: `host/${host}` };
    const taken = [this.submit({ ...request, input: { kind: "host_reported", host } })];
    // From its first report on it can be given something to run, and more once it reaches another host again.
    if (before === undefined || unreached.size < before.unreached.size) {
      taken.push(this.submit({ ...request, input: { kind: "host_present", host } }));
    }
    await Promise.all(taken);
  }

  /** Reads the state again, whoever wrote it last. */
  async refresh(): Promise<void> {
    await this.load();
  }

  /** Reads the state again if another writer is ahead of it. */
  async catchUp(version: number): Promise<void> {
    const state = await this.state();
    if (state.version < version) await this.load();
  }

  close(): void {
    this.closed = true;
    this.cancelWake?.();
    for (const waiting of this.queue.splice(0)) {
      waiting.reject(new ControlError("unavailable", "the server is shutting down"));
    }
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      let conflicts = 0;
      while (this.queue.length > 0) {
        await this.gather();
        if (this.closed) break;
        const batch = this.queue.slice(0, FOLDED_INPUTS_MAX);
        const outcome = await this.consume(batch);
        if (outcome === "consumed") {
          this.queue.splice(0, batch.length);
          conflicts = 0;
          continue;
        }
        conflicts += 1;
        if (conflicts >= CONFLICTS_IN_A_ROW_MAX) await this.options.clock.sleep(UNCLEAR_RETRY_MS.max / 10);
      }
    } catch (error) {
      // A bug or a broken database: whoever waits hears of it, and the next input starts from what is stored. What was
      // observed stays, since agents do not say the same again.
      this.doubted = true;
      this.options.failed(error);
      const reason = refusalOf(error) ?? error;
      for (const waiting of this.queue.splice(0)) waiting.reject(reason);
    } finally {
      this.running = false;
      // What came in between the last look at the queue and here.
      if (this.queue.length > 0 && !this.closed) void this.run();
    }
  }

  /**
   * Lets inputs come together. An embedded database answers before anything else is heard, so that each would be decided
   * and written alone, at the price of looking at all of its service; and where that takes long, more of them wait.
   */
  private async gather(): Promise<void> {
    const { clock } = this.options;
    await clock.turn();
    const restMs = this.restUntil - clock.now();
    if (restMs > 0) await clock.sleep(restMs);
  }

  private async consume(batch: Waiting[]): Promise<"consumed" | "again"> {
    const state = await this.state();
    const now = this.options.clock.now();
    state.heardUpTo = this.options.heardUpTo();
    const result = step(
      state,
      batch.map((waiting) => waiting.request.input),
      now,
    );
    const decidedAt = this.options.clock.now();
    this.restUntil = decidedAt + Math.min(decidedAt - now, REST_MS_MAX);
    const isEmpty =
      result.changes.puts.length === 0 && result.changes.deletes.length === 0 && result.events.length === 0;
    // Where there is anything to remember a commit is made, if only for that: its version is in the answer.
    const records = this.recordsOf(batch, result, state.version + 1);
    if (isEmpty && records.length === 0) {
      if (result.answers.some(({ kind }) => kind === "refused") && (await this.isBehind(state.version))) {
        this.options.overtaken();
        await this.load();
        return "again";
      }
      takeDue(state, result.due);
      this.arm(result.wakeAt);
      answerAll(batch, result, state.version);
      return "consumed";
    }
    // The alarm is armed before the commit: a crash between the two costs a needless look, never a missed one.
    this.arm(result.wakeAt);
    const commit = this.commitOf(batch, result, state.version + 1, now, records);
    try {
      const outcome = await this.write(commit);
      if (outcome.kind === "conflict") {
        await this.takeOver(batch, state.version);
        return "again";
      }
    } catch (error) {
      // One of the requests may have been answered by another writer, whose commit was loaded since, or ask for what the
      // database does not grant any more.
      const isRefused = error instanceof StoreError && error.code === "refused";
      if (isRefused && (await this.answerRepeated(batch))) return "again";
      if (isRefused && (await this.turnAway(batch, now))) return "again";
      throw error;
    }
    takeChanges(state, commit.version, result.changes, result.due, this.options.clock.now());
    // The state was read again meanwhile, and perhaps before this commit was there.
    if (this.loaded !== state && (this.loaded?.version ?? 0) < commit.version) this.doubted = true;
    this.options.committed(commit.version, false);
    answerAll(batch, result, commit.version);
    for (const effect of result.effects) this.options.runEffect(effect);
    return "consumed";
  }

  /**
   * Writes the identical batch until its fate is known.
   * @throws StoreError when it is known that nothing was written
   */
  private async write(commit: CommitBatch) {
    let lockedRounds = 0;
    let isUnclear = false;
    for (let waitMs = UNCLEAR_RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, UNCLEAR_RETRY_MS.max)) {
      try {
        return await this.options.store.commit(commit);
      } catch (error) {
        // `busy`: nothing was done, and the same batch may be sent again.
        const isBusy = error instanceof StoreError && error.code === "busy";
        if (!isBusy && !(error instanceof UnclearOutcome)) throw error;
        isUnclear ||= !isBusy;
        lockedRounds += 1;
        if (!isUnclear && lockedRounds === LOCKED_ROUNDS_MAX) {
          throw error;
        }
        if (this.closed) throw new ControlError("unavailable", "the server is shutting down");
        await this.options.clock.sleep(waitMs);
      }
    }
  }

  /** Whether another writer has made later versions. Nothing else tells where nothing is to be written. */
  private async isBehind(version: number): Promise<boolean> {
    const { rows } = await this.options.store.journal(this.options.project, version, 1);
    return rows.length > 0;
  }

  /** Another writer was first: take its state, and answer those of the batch that it has consumed. */
  private async takeOver(batch: Waiting[], since: number): Promise<void> {
    const { store, project } = this.options;
    this.options.overtaken();
    await this.load();
    const consumed = new Set(await store.inputsSince(project, since));
    await this.answerRepeated(batch.filter(({ request }) => request.id !== null && consumed.has(request.id)));
  }

  /** Takes those out of the queue whose requests were answered before. @returns whether there were any */
  private async answerRepeated(batch: Waiting[]): Promise<boolean> {
    const { store, project } = this.options;
    let found = false;
    for (const waiting of batch) {
      const key = waiting.request.idempotency?.key;
      const record = key === undefined ? null : await store.idempotency(project, key);
      if (!record) continue;
      this.queue.splice(this.queue.indexOf(waiting), 1);
      waiting.resolve({ answer: { kind: "done" }, version: this.loaded?.version ?? 0, repeatedAs: record });
      found = true;
    }
    return found;
  }

  /** Takes those out of the queue for whose sake a commit was refused. @returns whether there were any */
  private async turnAway(batch: Waiting[], at: Millis): Promise<boolean> {
    const { store, project } = this.options;
    const requests = batch.map(({ request }) => request);
    const refused = await refusedRequests(store, project, requests, at);
    for (const waiting of batch) {
      const reason = refused.get(waiting.request);
      if (!reason) continue;
      this.queue.splice(this.queue.indexOf(waiting), 1);
      waiting.reject(reason);
    }
    return refused.size > 0;
  }

  /** Reads the state; whoever wants it meanwhile waits for the same reading. */
  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async read(): Promise<void> {
    const { store, project, clock, listeningSince, builds } = this.options;
    const stored = await store.load(project);
    if (!stored) throw new ControlError("not_found", `there is no project ${project}`);
    const before = this.loaded;
    // What was read is older than a commit of our own that was written while it was on its way.
    if (before && before.version > stored.version) {
      this.doubted = false;
      return;
    }
    const heardFrom = before?.listeningSince ?? listeningSince();
    const state = projectState(project, stored.version, stored.entities, heardFrom, builds);
    // What was observed and who is here does not depend on who wrote the last commit.
    takeOver(state, before, clock.now());
    for (const host of this.options.present()) state.present.add(host);
    this.loaded = state;
    this.doubted = false;
    this.options.committed(state.version, true);
    if (state.due.size > 0) this.arm(clock.now());
  }

  private recordsOf(batch: Waiting[], result: StepResult, version: number): IdempotencyRecord[] {
    const records: IdempotencyRecord[] = [];
    batch.forEach(({ request }, i) => {
      const answer = result.answers[i] as Answer;
      if (request.idempotency && answer.kind !== "refused") records.push(request.idempotency.record(answer, version));
    });
    return records;
  }

  private commitOf(
    batch: Waiting[],
    result: StepResult,
    version: number,
    now: Millis,
    idempotency: IdempotencyRecord[],
  ): CommitBatch {
    const carriedOut = batch.filter((_, i) => result.answers[i]?.kind !== "refused").map(({ request }) => request);
    return {
      project: this.options.project,
      version,
      commitId: this.options.newId(),
      at: now,
      cause: unique(carriedOut.map((request) => request.cause)).join(", "),
      actor: unique(carriedOut.map((request) => request.actor)).join(", "),
      inputs: carriedOut.flatMap((request) => (request.id === null ? [] : [request.id])),
      events: result.events,
      puts: result.changes.puts,
      deletes: result.changes.deletes,
      wakeAt: result.wakeAt,
      idempotency,
      secrets: carriedOut.flatMap((request) => request.secrets ?? []),
      deletedSecrets: result.unusedSecrets,
      reliesOn: unique(carriedOut.flatMap(({ reliesOn }) => reliesOn ?? [])),
      credentials: carriedOut.flatMap(({ credential }) => credential ?? []),
      revokedTokens: unique(carriedOut.flatMap(({ revokedToken }) => revokedToken ?? [])),
    };
  }

  private arm(at: Millis | null): void {
    this.cancelWake?.();
    this.cancelWake = null;
    if (at === null || this.closed) return;
    this.cancelWake = this.options.clock.at(at, () => {
      this.submit({ input: { kind: "time" }, id: null, cause: "time", actor: "controller" }).catch(() => {
        // Whatever went wrong, `run` has dropped the state; loading it again arms the next look.
      });
    });
  }
}

function answerAll(batch: Waiting[], result: StepResult, version: number): void {
  for (const [i, waiting] of batch.entries()) waiting.resolve({ answer: result.answers[i] as Answer, version });
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}
