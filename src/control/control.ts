import { type ImageSettings, NO_IMAGES } from "../adapters/index.ts";
import { type AgentBuilds, NO_BUILDS } from "../core/hosts/agent-builds.ts";
import type { Answer } from "../core/input.ts";
import { planApply } from "../core/services/plan.ts";
import type { LinkEnd } from "../link/types.ts";
import type { RouteTarget, ServiceEntry } from "../proxy/types.ts";
import type { Store } from "../store/types.ts";
import type { JoinAnswer, JoinRequest, Report, SyncAnswer } from "../wire/index.ts";
import { carriedOut, whenDone } from "./answers.ts";
import { FileShelf } from "./apply/file-shelf.ts";
import { type PreparedApply, prepareApply } from "./apply/prepare-apply.ts";
import { tellWhoChanged } from "./apply/stale-plan.ts";
import type { Clock } from "./clock.ts";
import { type Digest, sha256Hex } from "./digest.ts";
import { applyFleet, deleteFleet, describeFleet, planFleet, readFleet } from "./fleet-requests.ts";
import { followCommits } from "./follow.ts";
import { admitHost } from "./hosts/admit-host.ts";
import type { FarHosts } from "./hosts/far-hosts.ts";
import { cordonHost, leaveHost, removeHost, uncordonHost } from "./hosts/host-changes.ts";
import { HostSync } from "./hosts/host-sync.ts";
import { keepHouse } from "./housekeeping.ts";
import type { Log } from "./log.ts";
import { mergedLogs } from "./logs.ts";
import { type Once, onceFor } from "./once.ts";
import { Project } from "./project.ts";
import type { Sealer } from "./seal.ts";
import { deleteSecret, setSecret } from "./secret-changes.ts";
import { callerOf, mayCall } from "./tokens/callers.ts";
import { makeToken } from "./tokens/make-token.ts";
import { listTokens, revokeToken } from "./tokens/revoke-token.ts";
import { type Caller, type Control, ControlError, type ReplicaPlace } from "./types.ts";
import {
  describeHostDetail,
  describeHosts,
  describeRoutes,
  describeSecret,
  describeService,
} from "./views/describe.ts";
import { describePlan } from "./views/describe-plan.ts";
import type {
  ApplyAnswer,
  ApplyRequest,
  ChangeAnswer,
  CommitView,
  HostChangeAnswer,
  HostDetailView,
  HostView,
  PlanView,
  SecretChangeAnswer,
  SecretView,
  ServiceView,
  TokenAnswer,
  TokenRequest,
  TokenRevokeAnswer,
  TokenView,
} from "./views/views.ts";
import type {
  FleetApplyAnswer,
  FleetChangeAnswer,
  FleetPlanView,
  FleetRequest,
  FleetView,
} from "./views/views-fleet.ts";

export interface ControlOptions {
  store: Store;
  seal: Sealer;
  clock: Clock;
  log: Log;
  /** Images for groups that name none; none unless given. */
  images?: ImageSettings;
  /** The builds of the agent that hosts can be given; none unless given. */
  builds?: AgentBuilds;
  /** Random ids of commits; the platform's own unless given, as the simulation does. */
  newId?: () => string;
  /** The platform's own unless given: it leaves the simulation's virtual time. */
  digest?: Digest;
  /** Where the links of a project's hosts do not end in this process. */
  far?: (project: string) => FarHosts;
  /** The moment up to which all that a project's hosts have sent was read; now, unless given. */
  heardUpTo?: (project: string) => number;
  /** Requests to hosts and to the database that a question may lead to while it is answered; any number unless given. */
  requestsMax?: number;
  /** Told that a token of the project was revoked here: what is remembered of its callers is not to be believed. */
  tokenRevoked?: (project: string) => void;
}

/** The control plane of all projects in one process. */
export class HeadraceControl implements Control {
  private readonly options: Required<Omit<ControlOptions, "far">> & Pick<ControlOptions, "far">;
  private readonly files: FileShelf;
  private readonly once: Once;
  private readonly projects = new Map<string, { project: Project; sync: HostSync }>();

  constructor(options: ControlOptions) {
    this.options = {
      newId: () => crypto.randomUUID(),
      digest: sha256Hex,
      images: NO_IMAGES,
      builds: NO_BUILDS,
      heardUpTo: () => options.clock.now(),
      requestsMax: Number.POSITIVE_INFINITY,
      tokenRevoked: () => undefined,
      ...options,
    };
    this.files = new FileShelf(options.store, options.clock);
    this.once = onceFor(options, (project) => this.open(project).project.controller);
  }

  /** Starts every project's controller: only then does somebody notice that a host does not come back. */
  async start(): Promise<void> {
    for (const { project } of await this.options.store.projects()) {
      await this.open(project).project.controller.state();
    }
  }

  /** Decides what time alone has made due, if anything. */
  async lookAtDue(project: string): Promise<void> {
    const { controller } = this.open(project).project;
    await controller.submit({ input: { kind: "time" }, id: null, cause: "time", actor: "controller" });
  }

  close(): void {
    for (const { project } of this.projects.values()) project.close();
    this.projects.clear();
  }

  authenticate(token: string): Promise<Caller | null> {
    return callerOf(token, this.options.store, this.options.clock.now(), this.options.digest);
  }

  async plan(caller: Caller, request: ApplyRequest): Promise<PlanView> {
    const prepared = await this.prepare(caller, request);
    const state = await this.open(caller.project).project.controller.state();
    const plan = planApply(state, prepared.input, this.options.clock.now());
    const { answer } = plan;
    // What the state of the service forbids is shown with all that would change; the rest is a plain refusal.
    if (answer.kind === "refused" && answer.code !== "conflict") {
      throw await this.toldWhoChanged(new ControlError(answer.code, answer.message), caller.project, prepared.input);
    }
    const service = prepared.input.spec.name;
    const { revision = 0, status = null } = state.tables.service.byId.get(service) ?? {};
    return describePlan(plan, { service, revision, status, notes: prepared.notes });
  }

  putFile(...args: Parameters<Control["putFile"]>): Promise<void> {
    return this.files.put(...args);
  }

  readFile(...args: Parameters<Control["readFile"]>): Promise<Uint8Array<ArrayBuffer>> {
    return this.files.read(...args);
  }

  async apply(caller: Caller, request: ApplyRequest, key: string): Promise<ApplyAnswer> {
    const toAnswer = (answer: Answer, service: string, version: number): ApplyAnswer => {
      const { revision, action } = carriedOut(answer, "applied");
      return { service, revision, action, version };
    };
    const asked: { input?: PreparedApply["input"] } = {};
    try {
      return await this.once(caller, "apply", key, request, async () => {
        const { input, secrets } = await this.prepare(caller, request);
        asked.input = input;
        await this.files.take(caller.project, input.files);
        return { input, secrets, toAnswer: (answer, version) => toAnswer(answer, input.spec.name, version) };
      });
    } catch (error) {
      throw asked.input ? await this.toldWhoChanged(error, caller.project, asked.input) : error;
    }
  }

  /** The same error, or where it refuses a stale plan one that says who was faster. */
  private async toldWhoChanged(error: unknown, project: string, input: PreparedApply["input"]): Promise<unknown> {
    if (!(error instanceof ControlError) || error.code !== "stale_plan") return error;
    const { version } = await this.open(project).project.controller.state();
    const { store } = this.options;
    return tellWhoChanged(error, { store, project, version, service: input.spec.name }, input.expectedRevision ?? 0);
  }

  private async prepare(caller: Caller, request: ApplyRequest): Promise<PreparedApply> {
    const { project } = this.open(caller.project);
    await project.heard();
    const state = await project.controller.state();
    return prepareApply(state, caller.name, request, this.options);
  }

  stop(caller: Caller, service: string, key: string): Promise<ChangeAnswer> {
    return this.change(caller, { kind: "stop", service }, key);
  }

  delete(caller: Caller, service: string, key: string): Promise<ChangeAnswer> {
    return this.change(caller, { kind: "delete", service }, key);
  }

  private change(
    caller: Caller,
    input: { kind: "stop" | "delete"; service: string },
    key: string,
  ): Promise<ChangeAnswer> {
    return this.once(caller, input.kind, key, input, async () => ({
      input,
      toAnswer: whenDone({ service: input.service }),
    }));
  }

  async services(project: string): Promise<ServiceView[]> {
    const state = await this.open(project).project.controller.state();
    return sorted(state.tables.service.byId).map((service) => describeService(state, service));
  }

  async serviceView(project: string, name: string): Promise<ServiceView | null> {
    const state = await this.open(project).project.controller.state();
    const service = state.tables.service.byId.get(name);
    return service ? describeService(state, service) : null;
  }

  async hosts(project: string): Promise<HostView[]> {
    const state = await this.open(project).project.controller.state();
    return describeHosts(state);
  }

  async hostView(project: string, id: string): Promise<HostDetailView | null> {
    const state = await this.open(project).project.controller.state();
    const host = state.tables.host.byId.get(id);
    return host ? describeHostDetail(state, host) : null;
  }

  cordonHost(...args: Parameters<Control["cordonHost"]>): Promise<HostChangeAnswer> {
    return cordonHost(this.once, ...args);
  }

  uncordonHost(...args: Parameters<Control["uncordonHost"]>): Promise<HostChangeAnswer> {
    return uncordonHost(this.once, ...args);
  }

  removeHost(caller: Caller, host: string, force: boolean, key: string): Promise<HostChangeAnswer> {
    return removeHost(this.once, this.open(caller.project).project, caller, { host, force }, key);
  }

  leaveHost(caller: Caller): Promise<void> {
    return leaveHost(this.open(caller.project).project, caller);
  }

  async fleets(project: string): Promise<FleetView[]> {
    const state = await this.open(project).project.controller.state();
    return sorted(state.tables.fleet.byId).map((fleet) => describeFleet(state, fleet));
  }

  async planFleet(caller: Caller, request: FleetRequest): Promise<FleetPlanView> {
    const { input, notes } = await readFleet(request);
    const state = await this.open(caller.project).project.controller.state();
    return planFleet(state, input, notes, this.options.clock.now());
  }

  applyFleet(...args: Parameters<Control["applyFleet"]>): Promise<FleetApplyAnswer> {
    return applyFleet(this.once, ...args);
  }

  deleteFleet(...args: Parameters<Control["deleteFleet"]>): Promise<FleetChangeAnswer> {
    return deleteFleet(this.once, ...args);
  }

  async secrets(project: string): Promise<SecretView[]> {
    const state = await this.open(project).project.controller.state();
    return sorted(state.tables.secret.byId).map((secret) => describeSecret(state, secret));
  }

  setSecret(caller: Caller, name: string, value: string, key: string): Promise<SecretChangeAnswer> {
    const { project } = this.open(caller.project);
    return setSecret(this.once, { project, seal: this.options.seal }, caller, { name, value }, key);
  }

  deleteSecret(...args: Parameters<Control["deleteSecret"]>): Promise<SecretChangeAnswer> {
    return deleteSecret(this.once, ...args);
  }

  async journal(project: string, after: number, limit: number): Promise<{ oldest: number; commits: CommitView[] }> {
    const from = after < 0 ? Math.max(0, (await this.open(project).project.controller.state()).version + after) : after;
    const { oldest, rows } = await this.options.store.journal(project, from, limit);
    return { oldest, commits: rows };
  }

  follow(project: string, after: number, signal: AbortSignal): AsyncIterable<CommitView> {
    const { store, requestsMax } = this.options;
    return followCommits(this.open(project).project, store, after, signal, requestsMax);
  }

  async logs(
    project: string,
    service: string,
    options: { replica?: string; tailLines: number; follow: boolean },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    return mergedLogs(this.open(project).project, service, options, signal, this.options.requestsMax);
  }

  createToken(caller: Caller, request: TokenRequest, key: string): Promise<TokenAnswer> {
    return makeToken(this.once, caller, request, key, this.options);
  }

  tokens(caller: Caller): Promise<TokenView[]> {
    return listTokens(caller, this.options);
  }

  async revokeToken(caller: Caller, id: string, key: string): Promise<TokenRevokeAnswer> {
    const answer = await revokeToken(this.once, caller, id, key, this.options);
    this.options.tokenRevoked(caller.project);
    return answer;
  }

  /** One at a time for each token: the host is written before the token is spent, and only one may leave a host. */
  async join(caller: Caller, request: JoinRequest): Promise<JoinAnswer> {
    const { project } = caller;
    const { host, fleet } = await admitHost(caller, request, this.options);
    // After the token is used, so that of many who come with it one leaves a host behind, at whichever server they ask.
    const { answer } = await this.open(project).project.controller.submit({
      input: {
        kind: "host_joined",
        host,
        name: request.name,
        fleet,
        machine: request.machine,
        inventory: request.inventory,
      },
      id: null,
      cause: "join",
      actor: caller.name,
      reliesOn: request.credentialHash,
    });
    carriedOut(answer, "done");
    return { project, fleet, host };
  }

  sync(project: string, host: string, report: Report, waitedMs = 0): Promise<SyncAnswer> {
    return this.open(project).sync.sync(host, report, waitedMs);
  }

  syncUnlinked(project: string, host: string, report: Report, waitedMs = 0): Promise<SyncAnswer> {
    return this.open(project).sync.syncUnlinked(host, report, waitedMs);
  }

  syncRelayed(project: string, host: string, report: Report, linked: boolean): Promise<SyncAnswer> {
    return this.open(project).sync.syncRelayed(host, report, linked);
  }

  unlinkedHere(project: string, host: string): void {
    this.open(project).project.presence.unlinkedHere(host);
  }

  unlinkedGone(project: string, host: string, silentMs: number): void {
    this.open(project).project.presence.unlinkedGone(host, silentMs);
  }

  linkOpened(project: string, host: string, link: LinkEnd): void {
    this.open(project).project.presence.linkOpened(host, link);
  }

  linkClosed(project: string, host: string, link: LinkEnd, silentMs: number): void {
    this.open(project).project.presence.linkClosed(host, link, silentMs);
  }

  // What the proxy needs.

  async service(project: string, name: string): Promise<ServiceEntry | null> {
    const state = await this.stateIfAny(project);
    const service = state?.tables.service.byId.get(name);
    return state && service ? describeRoutes(state, service) : null;
  }

  async models(project: string): Promise<ServiceEntry[]> {
    const state = await this.stateIfAny(project);
    if (!state) return [];
    return sorted(state.tables.service.byId)
      .filter((service) => service.status === "running")
      .map((service) => describeRoutes(state, service))
      .filter((entry) => entry.model !== null);
  }

  async authorize(project: string, token: string): Promise<boolean> {
    return mayCall(await this.authenticate(token), project);
  }

  way(project: string, { host }: RouteTarget): LinkEnd | null {
    return this.open(project).project.presence.link(host);
  }

  wayBack(project: string, targets: RouteTarget[], signal: AbortSignal): Promise<boolean> {
    const hosts = [...new Set(targets.map(({ host }) => host))];
    return this.open(project).project.presence.linkBack(hosts, signal);
  }

  isUnlinked(project: string, host: string): boolean {
    return this.projects.get(project)?.project.presence.isUnlinked(host) ?? false;
  }

  /** Where the committed state says that a replica runs, at this moment; null: nowhere, or the state is not loaded. */
  placeOf(project: string, replica: string): ReplicaPlace | null {
    const tables = this.projects.get(project)?.project.controller.current?.tables;
    const [jobId] = tables?.job.ids("replica", replica) ?? [];
    const job = jobId === undefined ? undefined : tables?.job.byId.get(jobId);
    const host = job && tables?.host.byId.get(job.host);
    return job && host ? { fleet: host.fleet, host: host.id, address: host.inventory.address, port: job.port } : null;
  }

  private async stateIfAny(project: string) {
    try {
      return await this.open(project).project.controller.state();
    } catch (error) {
      if (!(error instanceof ControlError) || error.code !== "not_found") throw error;
      // A name that is no project must not stay in memory: anyone can ask for any name.
      this.projects.delete(project);
      return null;
    }
  }

  private open(name: string): { project: Project; sync: HostSync } {
    const before = this.projects.get(name);
    if (before) return before;
    const { store, seal, clock, log, newId, digest, builds, far, heardUpTo } = this.options;
    const project = new Project({
      name,
      store,
      clock,
      log,
      newId,
      builds,
      far: far?.(name) ?? null,
      heardUpTo: () => heardUpTo(name),
    });
    keepHouse(project, store, clock, log);
    const opened = { project, sync: new HostSync(project, store, seal, digest) };
    this.projects.set(name, opened);
    return opened;
  }
}

function sorted<E extends { id: string }>(byId: ReadonlyMap<string, E>): E[] {
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
