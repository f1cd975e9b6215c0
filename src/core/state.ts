import type { ServiceSpec } from "../spec/types.ts";
import type { FleetSettings, JoinedHosts, SshHosts } from "../spec/types-fleet.ts";
import type { DeliveredFile, Inventory } from "../wire/index.ts";

/** An instant, milliseconds since the epoch by the controller's clock. */
export type Millis = number;

/** What a service's user asked for last. */
export interface ServiceEntity {
  kind: "service";
  id: string;
  /** `running`; `stopping` until the last replica is gone; then `stopped`. */
  status: "running" | "stopping" | "stopped";
  /** Number of the current revision; revisions of a name count on after a stop. */
  revision: number;
  /** Wanted replicas by group name. */
  wanted: Record<string, number>;
  /** Failed starts in a row by group, when the next replacement may start, and what the last one failed of, for people. */
  backoff: Record<string, { failures: number; notBefore: Millis; reason: string }>;
  /** When all of its groups had their replicas ready for the first time since it was last started; null = not yet. */
  firstReadyAt: Millis | null;
}

/** An immutable, numbered, validated spec. Id: `<service>@<number>`. */
export interface RevisionEntity {
  kind: "revision";
  id: string;
  service: string;
  number: number;
  spec: ServiceSpec;
  /** Passed-through environment: name -> version (an HMAC) of the sealed value. */
  sealed: Record<string, string>;
  /** Secrets of the project that the spec names: name -> version of the value, of which the revision has a sealed copy. */
  secrets: Record<string, string>;
  /** Of the groups that name no image: those that the server's settings had for them when this was applied. */
  images: Record<string, string>;
  /** What the user sent along, for every replica. */
  files: DeliveredFile[];
  /** Hash of everything that decides whether a prefill and a decode understand each other; the label `pairing_protocol`. */
  pairing: string;
  createdAt: Millis;
  createdBy: string;
}

export type ReplicaStatus =
  | "pending"
  | "starting"
  | "ready"
  | "suspect"
  | "lost"
  | "unlisting"
  | "quiescing"
  | "stopping";

/** One running copy of a group. Deleted when its last job is gone; the journal keeps what happened. */
export interface ReplicaEntity {
  kind: "replica";
  /** `<service>-<group>-<serial>`; never used again in the project. */
  id: string;
  service: string;
  group: string;
  revision: number;
  status: ReplicaStatus;
  /** When it entered `status`. */
  since: Millis;
  /** Why it is in this status, for people; for `pending` why it fits nowhere. */
  reason: string;
  /** Set once it drains: when it is stopped whether idle or not. */
  deadline: Millis | null;
  /** Set once it drains: the commit from which no router shall list it. */
  unlistedIn: number | null;
  createdAt: Millis;
  /** Whether it was ever ready. */
  wasReady: boolean;
}

export type JobStatus = "assigned" | "running" | "quiescing" | "stopping";

/** What one host runs for a replica. Holds promises of accelerators and ports until it is gone. Id: `<replica>.<rank>`. */
export interface JobEntity {
  kind: "job";
  id: string;
  replica: string;
  service: string;
  group: string;
  rank: number;
  host: string;
  status: JobStatus;
  since: Millis;
  /** Chosen when it was placed: what its host offers may change, what runs there does not. */
  runtime: "process" | "docker";
  /** The commit that created it. */
  created: number;
  port: number;
  ports: { name: string; port: number }[];
  accelerators: number[];
  /** Addresses of other replicas that its commands were started with, by `groups[i].replicas[j]`. */
  addresses: Record<string, string>;
}

export interface HostEntity {
  kind: "host";
  id: string;
  name: string;
  fleet: string;
  /** The machine that joined; another one on the same credential is refused. */
  machine: string;
  inventory: Inventory;
  /** Since when nothing was heard of it while it had jobs; null = present, or nothing depends on it. */
  silentSince: Millis | null;
  joinedAt: Millis;
  /** Whether it ever offered to run containers. Then it is never taken for one that has only processes. */
  offeredContainers: boolean;
  cordons: Cordons;
  /** The build of the agent that it was told to run last; null = none. */
  update: AgentOrder | null;
}

/** A host was told to run a build of the agent. */
export interface AgentOrder {
  build: string;
  /** The commit that told it so. */
  order: number;
  since: Millis;
  /** When it said that it runs the build; null = not yet. */
  cameAt: Millis | null;
  /** Why it does not run it and is not waited for any more; null = nothing is known against it. */
  failed: string | null;
}

/** Why a host gets nothing new, by who says so. Each ends by itself: what an operator asked for outlives bad health. */
export interface Cordons {
  operator: OperatorCordon | null;
  /** The host is not well; over when it is. */
  health: { since: Millis; reason: string } | null;
}

export interface OperatorCordon {
  since: Millis;
  by: string;
  /** May be empty. */
  reason: string;
  /** What runs there is moved away as well. */
  drain: boolean;
}

export interface FleetEntity {
  kind: "fleet";
  id: string;
  settings: FleetSettings;
  /** The hosts that its file names, as they were asked for; which ones have joined, hosts say. */
  hosts: JoinedHosts | SshHosts;
  /** How often it was changed by a file; 0 = it exists because a host joined it, with everything closed. */
  revision: number;
  /** Since when nothing is decided about its silent hosts, because most fell silent together; null = it is. */
  frozenSince: Millis | null;
  /** When that was last over; null = it never was so. */
  thawedAt: Millis | null;
}

/**
 * Ports of a worker that is gone, kept from others while a router may send to them, also when its host is removed: what
 * joins at the same address may be the same machine. Id: `<job>/<router>`.
 */
export interface HoldEntity {
  kind: "hold";
  id: string;
  service: string;
  worker: string;
  router: string;
  host: string;
  /** The host's, when the worker was gone; empty = not known, since an earlier version wrote it. */
  address: string;
  ports: number[];
  /** The commit from which the router is not to list the worker. */
  since: number;
}

/** A secret of the project; its value is sealed elsewhere. Id: its name. */
export interface SecretEntity {
  kind: "secret";
  id: string;
  /** An HMAC of the value. */
  version: string;
  setAt: Millis;
  setBy: string;
}

/** What there is once in a project. Id: `project`. */
export interface ProjectEntity {
  kind: "project";
  id: "project";
  nextSerial: number;
  /** The build of the agent that its server gives out: of several servers, the one that began last; null = none did. */
  agentBuild: string | null;
}

export type Entity =
  | ServiceEntity
  | RevisionEntity
  | ReplicaEntity
  | JobEntity
  | HostEntity
  | FleetEntity
  | HoldEntity
  | SecretEntity
  | ProjectEntity;

export type EntityKind = Entity["kind"];

/** One thing that happened, as the journal keeps it and `headrace events` prints it. */
export interface JournalEvent {
  /** e.g. `service.applied`, `replica.ready`, `job.ended`, `host.joined`. */
  type: string;
  service?: string;
  group?: string;
  replica?: string;
  host?: string;
  message: string;
}
