import { FileShelf } from "../control/apply/file-shelf.ts";
import { fewOf } from "../control/hosts/host-news.ts";
import { callerOf, mayCall } from "../control/tokens/callers.ts";
import { type Caller, type Control, ControlError } from "../control/types.ts";
import type { CommitView } from "../control/views/views.ts";
import type { ReplicaWay, RouteTarget } from "../proxy/types.ts";
import type { Report, SyncAnswer } from "../wire/index.ts";
import { type Env, linkStub, projectStub, storeOf } from "./env.ts";
import { REQUESTS_AN_INVOCATION } from "./fan-out.ts";
import { FarLink } from "./far-link.ts";
import { linesOf } from "./json-lines.ts";
import { isLinked, LINK_BACK_PATH } from "./link-requests.ts";
import { accepted } from "./outcome.ts";
import { relayed } from "./relayed.ts";
import type { Outcome, ProjectCall, ProjectMethod } from "./stubs.ts";

/** Hosts whose links a request waits for: the platform lets six questions wait for an answer at a time. */
const HOSTS_AWAITED_MAX = 4;

type Answered<C extends ProjectCall> = Awaited<ReturnType<ProjectMethod<C>>>;

/**
 * The control plane as the Worker has it: who a caller is comes from the database, everything else from the object of
 * the caller's project.
 */
export class EdgeControl implements Control {
  readonly #env: Env;
  readonly #tokenRevoked: (project: string) => void;
  #waits = 0;

  /** @param tokenRevoked told that a token of the project was revoked from here */
  constructor(env: Env, tokenRevoked: (project: string) => void) {
    this.#env = env;
    this.#tokenRevoked = tokenRevoked;
  }

  /**
   * With a client of the database for this question alone: one lets no more than so many questions out at a time, and on
   * this platform a request cannot be gone on with by another one's end, nor does one whose caller has left come to its own.
   */
  authenticate(token: string): Promise<Caller | null> {
    return callerOf(token, storeOf(this.#env), Date.now());
  }

  async authorize(project: string, token: string): Promise<boolean> {
    return mayCall(await this.authenticate(token), project);
  }

  plan(...args: Parameters<Control["plan"]>) {
    return this.#ask(args[0].project, "plan", args);
  }

  /** Files are nobody's decision, so that they go to the database without waking the project. */
  putFile(...args: Parameters<Control["putFile"]>) {
    return this.#files().put(...args);
  }

  readFile(...args: Parameters<Control["readFile"]>) {
    return this.#files().read(...args);
  }

  apply(...args: Parameters<Control["apply"]>) {
    return this.#ask(args[0].project, "apply", args);
  }

  stop(...args: Parameters<Control["stop"]>) {
    return this.#ask(args[0].project, "stop", args);
  }

  delete(...args: Parameters<Control["delete"]>) {
    return this.#ask(args[0].project, "delete", args);
  }

  services(project: string) {
    return this.#ask(project, "services", [project]);
  }

  serviceView(project: string, service: string) {
    return this.#ask(project, "serviceView", [project, service]);
  }

  hosts(project: string) {
    return this.#ask(project, "hosts", [project]);
  }

  hostView(project: string, host: string) {
    return this.#ask(project, "hostView", [project, host]);
  }

  cordonHost(...args: Parameters<Control["cordonHost"]>) {
    return this.#ask(args[0].project, "cordonHost", args);
  }

  uncordonHost(...args: Parameters<Control["uncordonHost"]>) {
    return this.#ask(args[0].project, "uncordonHost", args);
  }

  fleets(project: string) {
    return this.#ask(project, "fleets", [project]);
  }

  planFleet(...args: Parameters<Control["planFleet"]>) {
    return this.#ask(args[0].project, "planFleet", args);
  }

  applyFleet(...args: Parameters<Control["applyFleet"]>) {
    return this.#ask(args[0].project, "applyFleet", args);
  }

  deleteFleet(...args: Parameters<Control["deleteFleet"]>) {
    return this.#ask(args[0].project, "deleteFleet", args);
  }

  removeHost(...args: Parameters<Control["removeHost"]>) {
    return this.#ask(args[0].project, "removeHost", args);
  }

  leaveHost(...args: Parameters<Control["leaveHost"]>) {
    return this.#ask(args[0].project, "leaveHost", args);
  }

  journal(...args: Parameters<Control["journal"]>) {
    return this.#ask(args[0], "journal", args);
  }

  secrets(project: string) {
    return this.#ask(project, "secrets", [project]);
  }

  setSecret(...args: Parameters<Control["setSecret"]>) {
    return this.#ask(args[0].project, "setSecret", args);
  }

  deleteSecret(...args: Parameters<Control["deleteSecret"]>) {
    return this.#ask(args[0].project, "deleteSecret", args);
  }

  createToken(...args: Parameters<Control["createToken"]>) {
    return this.#ask(args[0].project, "createToken", args);
  }

  tokens(caller: Caller) {
    return this.#ask(caller.project, "tokens", [caller]);
  }

  async revokeToken(...args: Parameters<Control["revokeToken"]>) {
    const [{ project }] = args;
    const answer = await this.#ask(project, "revokeToken", args);
    this.#tokenRevoked(project);
    return answer;
  }

  join(...args: Parameters<Control["join"]>) {
    return this.#ask(args[0].project, "join", args);
  }

  service(project: string, service: string) {
    return this.#ask(project, "service", [project, service]);
  }

  models(project: string) {
    return this.#ask(project, "models", [project]);
  }

  /** The project's object ends a stream for which it has read the database so often as an invocation of it may. */
  async *follow(project: string, after: number, signal: AbortSignal): AsyncGenerator<CommitView> {
    let cursor = after;
    for (let asked = 0; asked < REQUESTS_AN_INVOCATION && !signal.aborted; asked += 1) {
      const stream = await answered(projectStub(this.#env, project).follow(project, cursor));
      for await (const commit of linesOf<CommitView>(stream, signal)) {
        cursor = commit.version;
        yield commit;
      }
    }
  }

  async logs(...[project, service, options, signal]: Parameters<Control["logs"]>) {
    const stream = accepted(await answered(projectStub(this.#env, project).logs(project, service, options)));
    return relayed(stream, () => undefined, signal);
  }

  /** Whether there is a link shows when it is used: it ends elsewhere. */
  way(project: string, { host }: RouteTarget): ReplicaWay {
    return new FarLink(this.#env, { project, host });
  }

  /** Where the links of the first of their hosts end, it is known whether they are expected. */
  async wayBack(project: string, targets: RouteTarget[], signal: AbortSignal): Promise<boolean> {
    this.#waits += 1;
    const hosts = fewOf([...new Set(targets.map(({ host }) => host))], HOSTS_AWAITED_MAX, this.#waits);
    const enough = new AbortController();
    const asked = AbortSignal.any([signal, enough.signal]);
    try {
      const back = hosts.map(async (host) => {
        const stub = linkStub(this.#env, { project, host });
        if (!(await isLinked(stub, LINK_BACK_PATH, asked))) throw new Error("it is not expected");
      });
      return await Promise.any(back).then(
        () => true,
        () => false,
      );
    } finally {
      enough.abort();
    }
  }

  async syncUnlinked(project: string, host: string, report: Report): Promise<SyncAnswer> {
    const name = { project, host };
    return accepted(await answered(linkStub(this.#env, name).syncUnlinked(name, report)));
  }

  #files(): FileShelf {
    return new FileShelf(storeOf(this.#env), { now: Date.now });
  }

  async #ask<C extends ProjectCall>(project: string, method: C, args: unknown[]): Promise<Answered<C>> {
    const outcome = await answered(projectStub(this.#env, project).call(project, method, args));
    return accepted(outcome as Outcome<Answered<C>>);
  }

  // What the objects do among themselves, and nobody asks of the Worker.

  isUnlinked(): boolean {
    return false;
  }

  sync(): Promise<SyncAnswer> {
    return Promise.reject(new Error("links do not end in the Worker"));
  }

  linkOpened(): void {}

  linkClosed(): void {}
}

/** What an object answers. @throws ControlError `unavailable` when it was put away before it did */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isInterrupted(error)) throw error;
    const message = "the control plane was interrupted; repeat this under the same idempotency key";
    throw new ControlError("unavailable", message);
  }
}

/** The platform marks what is worth another try: an object that moved, or had too much to do. */
function isInterrupted(error: unknown): boolean {
  return error instanceof Error && ("retryable" in error || "overloaded" in error || "durableObjectReset" in error);
}
