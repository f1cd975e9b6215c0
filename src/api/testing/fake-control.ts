import { type Caller, type Control, ControlError } from "../../control/types.ts";
import type {
  ApplyRequest,
  CommitView,
  HostDetailView,
  HostView,
  PlanView,
  SecretView,
  ServiceView,
  TokenView,
} from "../../control/views/views.ts";
import type { FleetPlanView, FleetRequest, FleetView } from "../../control/views/views-fleet.ts";
import { streamOf } from "../../link/flows.ts";
import type { Report, SyncAnswer } from "../../wire/index.ts";

/** Tokens that the fake knows: project `main` but for `other-admin`, whose project is `other`. */
export const TOKENS = {
  admin: "admin-token",
  member: "member-token",
  host: "host-token",
  join: "join-token",
  "other-admin": "other-admin-token",
} as const;

export const SERVICE: ServiceView = {
  name: "chat",
  status: "running",
  ready: true,
  message: "",
  revision: 3,
  model: "qwen",
  url: "/proxy/services/main/chat/",
  groups: [{ name: "worker", role: "worker", wanted: 1, ready: 1 }],
  replicas: [
    {
      id: "chat-worker-1",
      group: "worker",
      revision: 3,
      status: "ready",
      since: 1_000,
      reason: "",
      host: "host-1",
      port: 8000,
      accelerators: [0],
      createdAt: 500,
      observed: { state: "ready", attempt: 1, recentEnds: 0, message: "" },
      unreached: null,
    },
  ],
};

export const HOST: HostView = {
  id: "host-1",
  name: "box",
  fleet: "default",
  online: true,
  silentSince: null,
  frozen: false,
  address: "10.0.0.1",
  cpus: 8,
  memoryGib: 32,
  diskGib: 100,
  accelerators: [{ index: 0, vendor: "nvidia", name: "H100", memoryGib: 80 }],
  fabric: null,
  disks: [],
  modelCache: null,
  problems: [],
  warnings: [],
  unreached: [],
  agentVersion: "0.1.0",
  agentBuild: null,
  agentUpdate: null,
  jobs: 1,
  cordons: { operator: null, health: null },
};

export const FLEET: FleetView = {
  name: "default",
  revision: 0,
  placement: "any",
  blocks: "auto",
  overcommit: true,
  agent: { version: "server", build: null, updatable: 0, current: 0, message: "" },
  allow: { privileged: false, hostPaths: [], processes: true },
  ssh: null,
  frozen: false,
  hosts: 1,
};

export function commit(version: number): CommitView {
  return { version, at: version * 1_000, cause: "apply", actor: "ann", events: [] };
}

/** A control with one service and a journal that the test writes; it notes the changes that it is asked for. */
export class FakeControl implements Control {
  readonly changes: { what: string; subject: string; key: string }[] = [];
  readonly commits: CommitView[] = [];
  readonly synced: { project: string; host: string; seq: number }[] = [];
  oldest = 1;
  allFleets: FleetView[] = [FLEET];
  /** The one service; null = there is none. */
  view: ServiceView | null = SERVICE;
  planned: PlanView = {
    action: "create",
    service: "chat",
    revision: 0,
    refusal: null,
    groups: [],
    changes: [],
    placements: [],
    drained: [],
    notes: [],
    warnings: [],
  };
  /** The one host. */
  host: HostDetailView = { ...HOST, joinedAt: 0, nics: [], replicas: [] };
  plannedFleet: FleetPlanView = {
    action: "create",
    fleet: "rack-1",
    revision: 0,
    refusal: null,
    changes: [],
    hosts: 0,
    notes: [],
    warnings: [],
  };
  /** What was last applied or planned of a fleet. */
  fleetRequest: FleetRequest | null = null;
  /** The secrets of the project, and the values that were set. */
  kept: SecretView[] = [];
  readonly values = new Map<string, string>();
  /** The tokens of the project, as they are listed. */
  listed: TokenView[] = [];
  /** Those that are not known any more, of `TOKENS`. */
  readonly revoked = new Set<string>();
  /** What was last applied or planned. */
  request: ApplyRequest | null = null;
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Thrown by the next call of a method, then cleared. */
  failure: Error | null = null;
  followers = 0;
  #wake = new Set<() => void>();

  add(...commits: CommitView[]): void {
    this.commits.push(...commits);
    for (const wake of this.#wake) wake();
  }

  async authenticate(token: string): Promise<Caller | null> {
    const name = Object.entries(TOKENS).find(([, known]) => known === token)?.[0];
    if (name === undefined || this.revoked.has(name)) return null;
    const project = name === "other-admin" ? "other" : "main";
    const kind = name === "other-admin" ? "admin" : (name as Caller["kind"]);
    const subject = kind === "host" ? "host-1" : kind === "join" ? "default" : null;
    return { credentialId: `c-${name}`, project, kind, name, subject };
  }

  async plan(_caller: Caller, request: ApplyRequest) {
    this.#fail();
    this.request = request;
    return this.planned;
  }

  async putFile(_project: string, sha256: string, body: Uint8Array<ArrayBuffer>) {
    this.#change("put-file", sha256, "");
    this.files.set(sha256, body);
  }

  async readFile(_project: string, sha256: string) {
    this.#fail();
    return this.files.get(sha256) ?? new Uint8Array();
  }

  async apply(_caller: Caller, request: ApplyRequest, key: string) {
    this.request = request;
    this.#change("apply", request.config, key);
    return { service: "chat", revision: 1, action: "create" as const, version: 7 };
  }

  async stop(_caller: Caller, service: string, key: string) {
    this.#change("stop", service, key);
    return { service, version: 8 };
  }

  async delete(_caller: Caller, service: string, key: string) {
    this.#change("delete", service, key);
    return { service, version: 9 };
  }

  async services() {
    this.#fail();
    return this.view === null ? [] : [this.view];
  }

  async serviceView(_project: string, service: string) {
    this.#fail();
    return service === this.view?.name ? this.view : null;
  }

  async hosts() {
    return [this.host];
  }

  async hostView(_project: string, host: string): Promise<HostDetailView | null> {
    this.#fail();
    return host === this.host.id ? this.host : null;
  }

  async cordonHost(_caller: Caller, host: string, { drain, reason }: { drain: boolean; reason: string }, key: string) {
    this.#change(`${drain ? "drainHost" : "cordonHost"} ${reason}`.trim(), host, key);
    return { host, version: 13 };
  }

  async uncordonHost(_caller: Caller, host: string, key: string) {
    this.#change("uncordonHost", host, key);
    return { host, version: 14 };
  }

  async fleets() {
    return this.allFleets;
  }

  async planFleet(_caller: Caller, request: FleetRequest) {
    this.#fail();
    this.fleetRequest = request;
    return this.plannedFleet;
  }

  async applyFleet(_caller: Caller, request: FleetRequest, key: string) {
    this.fleetRequest = request;
    this.#change("applyFleet", request.config, key);
    return { fleet: "rack-1", revision: 1, action: "create" as const, version: 15 };
  }

  async deleteFleet(_caller: Caller, fleet: string, key: string) {
    this.#change("deleteFleet", fleet, key);
    return { fleet, version: 16 };
  }

  async removeHost(_caller: Caller, host: string, force: boolean, key: string) {
    this.#change(force ? "removeHost by force" : "removeHost", host, key);
    return { host, version: 10 };
  }

  async leaveHost({ subject }: Caller) {
    this.#change("leaveHost", subject ?? "", "");
  }

  async secrets() {
    this.#fail();
    return this.kept;
  }

  async setSecret(_caller: Caller, secret: string, value: string, key: string) {
    this.#change("setSecret", secret, key);
    this.values.set(secret, value);
    return { secret, version: 11 };
  }

  async deleteSecret(_caller: Caller, secret: string, key: string) {
    this.#change("deleteSecret", secret, key);
    return { secret, version: 12 };
  }

  async journal(_project: string, after: number, limit: number) {
    this.#fail();
    const kept = this.commits.filter((one) => one.version >= this.oldest);
    const page = after < 0 ? kept.slice(after) : kept.filter((one) => one.version > after);
    return { oldest: this.oldest, commits: page.slice(0, limit) };
  }

  async *follow(_project: string, after: number, signal: AbortSignal): AsyncGenerator<CommitView> {
    this.followers += 1;
    try {
      let at = after;
      while (!signal.aborted) {
        this.#fail();
        const next = this.commits.find((one) => one.version > at);
        if (next === undefined) await this.#nextCommit(signal);
        else {
          at = next.version;
          yield next;
        }
      }
    } finally {
      this.followers -= 1;
    }
  }

  async logs(_project: string, service: string, options: { follow: boolean }, signal: AbortSignal) {
    this.#fail();
    if (service !== this.view?.name) throw new ControlError("not_found", `there is no service ${service}`);
    const line = (text: string) =>
      new TextEncoder().encode(`${JSON.stringify({ replica: "chat-worker-1", ageMs: 5, attempt: 1, text })}\n`);
    if (!options.follow) return streamOf(new Uint8Array([...line("one"), ...line("two")]));
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(line("one"));
        signal.addEventListener("abort", () => controller.close(), { once: true });
      },
    });
  }

  async createToken(_caller: Caller, request: { kind: string }, key: string) {
    this.#change("createToken", request.kind, key);
    return { id: "t1", token: "hr_new", expiresAt: null };
  }

  async tokens() {
    this.#fail();
    return this.listed;
  }

  async revokeToken({ credentialId }: Caller, token: string, key: string) {
    this.#change("revokeToken", token, key);
    return { token, name: "ci", kind: "member" as const, own: token === credentialId };
  }

  async join() {
    return { project: "main", fleet: "default", host: "host-1" };
  }

  async sync(): Promise<never> {
    throw new Error("The API syncs nothing that came over a link.");
  }

  async syncUnlinked(project: string, host: string, report: Report): Promise<SyncAnswer> {
    this.#fail();
    this.synced.push({ project, host, seq: report.seq });
    return { version: 1, hash: "h", desired: null, nextSyncInMs: 2_000, peers: null };
  }

  isUnlinked() {
    return false;
  }

  linkOpened() {}
  linkClosed() {}

  async service() {
    return null;
  }

  async models() {
    return [];
  }

  async authorize() {
    return false;
  }

  way() {
    return null;
  }

  async wayBack() {
    return false;
  }

  #fail(): void {
    const failure = this.failure;
    this.failure = null;
    if (failure) throw failure;
  }

  #change(what: string, subject: string, key: string): void {
    this.#fail();
    this.changes.push({ what, subject, key });
  }

  #nextCommit(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wake.delete(wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
