import type { LinkEnd } from "../link/types.ts";
import type { ProxySource } from "../proxy/types.ts";
import type { SpecIssue } from "../spec/types.ts";
import type { CredentialKind } from "../store/types.ts";
import type { JoinAnswer, JoinRequest, Report, SyncAnswer } from "../wire/index.ts";
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

/** Whoever makes a request, as its token says. */
export interface Caller {
  credentialId: string;
  project: string;
  kind: CredentialKind;
  name: string;
  /** Fleet of a join token, host of a host's credential. */
  subject: string | null;
  /** A join token that a host has joined with: good for that host alone, whose answer may have been lost. */
  used?: true;
}

/** Codes of refusals; each has an entry in docs/errors.md. */
export type ControlErrorCode =
  | "not_found"
  | "invalid_config"
  | "unsupported"
  | "conflict"
  | "stale_plan"
  | "idempotency_mismatch"
  | "forbidden"
  | "unauthorized"
  | "too_many"
  | "unavailable";

/** A refusal for people: what is wrong and what to do instead. */
export class ControlError extends Error {
  override name = "ControlError";
  readonly code: ControlErrorCode;
  /** Set for `invalid_config`. */
  readonly issues: SpecIssue[];
  constructor(code: ControlErrorCode, message: string, issues: SpecIssue[] = []) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
}

/** Where a replica runs. */
export interface ReplicaPlace {
  fleet: string;
  host: string;
  /** As the host's agent says: a claim. */
  address: string;
  /** Promised to the replica alone until its agent says that nothing of it is left. */
  port: number;
}

/** Everything that the API does. All methods refuse with a ControlError. Changes are answered after their commit. */
export interface Control extends ProxySource {
  /** Who holds this bearer token; null when unknown, expired or revoked. */
  authenticate(token: string): Promise<Caller | null>;

  /** What an apply would do now; changes nothing. A plan that the apply would refuse for the service's state says so. */
  plan(caller: Caller, request: ApplyRequest): Promise<PlanView>;
  /** Keeps a file or folder (a tar archive) that an apply will name. The same one again changes nothing. */
  putFile(project: string, sha256: string, body: Uint8Array<ArrayBuffer>): Promise<void>;
  /** For people who want to know whether it is there, and for hosts. */
  readFile(project: string, sha256: string): Promise<Uint8Array<ArrayBuffer>>;
  /** `key`: the request's idempotency key; the same key again gets the same answer and changes nothing. */
  apply(caller: Caller, request: ApplyRequest, key: string): Promise<ApplyAnswer>;
  stop(caller: Caller, service: string, key: string): Promise<ChangeAnswer>;
  /** Only a stopped service can be deleted. */
  delete(caller: Caller, service: string, key: string): Promise<ChangeAnswer>;

  services(project: string): Promise<ServiceView[]>;
  serviceView(project: string, service: string): Promise<ServiceView | null>;
  hosts(project: string): Promise<HostView[]>;
  hostView(project: string, host: string): Promise<HostDetailView | null>;
  /** Gives a host nothing new; with `drain` what runs there is replaced elsewhere first and stopped after. */
  cordonHost(
    caller: Caller,
    host: string,
    how: { drain: boolean; reason: string },
    key: string,
  ): Promise<HostChangeAnswer>;
  /** Gives it back. One that is cordoned because of its health alone is refused. */
  uncordonHost(caller: Caller, host: string, key: string): Promise<HostChangeAnswer>;
  /** Forgets a host and its credential; `force` is needed while it has jobs, and frees what they hold. */
  removeHost(caller: Caller, host: string, force: boolean, key: string): Promise<HostChangeAnswer>;
  /** The host whose own credential this is has ended all that it ran, and is forgotten as one that is removed. */
  leaveHost(caller: Caller): Promise<void>;
  fleets(project: string): Promise<FleetView[]>;
  planFleet(caller: Caller, request: FleetRequest): Promise<FleetPlanView>;
  applyFleet(caller: Caller, request: FleetRequest, key: string): Promise<FleetApplyAnswer>;
  /** Only one that no host is in. */
  deleteFleet(caller: Caller, fleet: string, key: string): Promise<FleetChangeAnswer>;
  /** Commits after `after`, oldest first; negative = the newest `-after`. */
  journal(project: string, after: number, limit: number): Promise<{ oldest: number; commits: CommitView[] }>;
  /** Yields commits after `after` as they are made, until `signal` aborts. */
  follow(project: string, after: number, signal: AbortSignal): AsyncIterable<CommitView>;
  /** Newline-separated JSON (`logLine` of wire) of the replicas asked for, from their hosts. */
  logs(
    project: string,
    service: string,
    options: { replica?: string; tailLines: number; follow: boolean },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;

  /** The secrets of the project without their values, by name. */
  secrets(project: string): Promise<SecretView[]>;
  /** What runs keeps the value that it has until it is applied again. */
  setSecret(caller: Caller, name: string, value: string, key: string): Promise<SecretChangeAnswer>;
  /** One that a running service names is not deleted. */
  deleteSecret(caller: Caller, name: string, key: string): Promise<SecretChangeAnswer>;

  createToken(caller: Caller, request: TokenRequest, key: string): Promise<TokenAnswer>;
  /** Of people, pipelines and joins, the oldest first; hosts' own credentials are none of them. */
  tokens(caller: Caller): Promise<TokenView[]>;
  /** Nobody can use it from then on. The last admin token that can be used is not revoked. */
  revokeToken(caller: Caller, id: string, key: string): Promise<TokenRevokeAnswer>;

  /** Redeems a join token. */
  join(caller: Caller, request: JoinRequest): Promise<JoinAnswer>;
  /**
   * One sync of a host: takes its report in and answers with what it shall run.
   * @param waitedMs how long the report waited for its turn
   */
  sync(project: string, host: string, report: Report, waitedMs?: number): Promise<SyncAnswer>;
  /** The same by a request of its own, from a host whose network lets no link through: it is there while these come. */
  syncUnlinked(project: string, host: string, report: Report, waitedMs?: number): Promise<SyncAnswer>;
  /** Whether a host is there by its syncs alone, so that nothing can be sent to it. */
  isUnlinked(project: string, host: string): boolean;
  /** A host's link opened; `close` it when another takes its place. */
  linkOpened(project: string, host: string, link: LinkEnd): void;
  /** @param silentMs for how long nothing had come over the link when it ended */
  linkClosed(project: string, host: string, link: LinkEnd, silentMs: number): void;
}
