import type { Entity, EntityKind, JournalEvent } from "../core/state.ts";

/** One atomic change of a project, written as one libSQL batch whose first statement inserts the `commits` row. */
export interface CommitBatch {
  project: string;
  /** The version this commit makes; its predecessor must be `version - 1`. */
  version: number;
  /** Random; tells our own batch from another writer's after an unclear answer. */
  commitId: string;
  at: number;
  /** What was asked or seen, e.g. `apply`, `report`, `time`. */
  cause: string;
  /** Who: a token's name, `host/<id>`, `controller`. */
  actor: string;
  /** Ids of the inputs consumed, so that a successor does not consume them again. */
  inputs: string[];
  events: JournalEvent[];
  puts: Entity[];
  /** A host takes its credential with it. */
  deletes: { kind: EntityKind; id: string }[];
  /** Next moment at which time alone can change anything; null = never. */
  wakeAt: number | null;
  /** Answers kept for repeated requests, in the same batch. */
  idempotency: IdempotencyRecord[];
  /** Sealed values to put, in the same batch. */
  secrets: SealedSecret[];
  /** Sealed values to delete, in the same batch, e.g. of a deleted service: names. */
  deletedSecrets: string[];
  /** Hashes of hosts' credentials that this relies on: where one is gone meanwhile, with its host, nothing is written. */
  reliesOn: string[];
  /** Credentials to keep, in the same batch. One of the same id stays as it is: it may have been revoked since. */
  credentials: Credential[];
  /**
   * Ids of tokens whose expiry becomes `REVOKED`, in the same batch; those of hosts' credentials are none. Where the last
   * of the project's admin tokens that can be used at `at` is among them, nothing is written.
   */
  revokedTokens: string[];
}

export interface IdempotencyRecord {
  key: string;
  /** Hash of the request; the same key with another request is refused. */
  requestHash: string;
  /** JSON of the answer. */
  answer: string;
  at: number;
}

/** A sealed value; `name` is unique in the project, e.g. `env/<service>/<revision>/<NAME>`. */
export interface SealedSecret {
  name: string;
  /** HMAC of the plain text: shows a change without showing the value. */
  version: string;
  keyId: string;
  sealed: string;
}

export type CommitOutcome =
  | { kind: "committed" }
  /** Another commit has this version. `commitId` is its id. */
  | { kind: "conflict"; commitId: string };

export interface LoadedProject {
  version: number;
  wakeAt: number | null;
  entities: Entity[];
}

export interface CommitRow {
  version: number;
  at: number;
  cause: string;
  actor: string;
  inputs: string[];
  events: JournalEvent[];
}

export type CredentialKind = "admin" | "member" | "join" | "host";

/** The expiry of a token that was revoked: one that has passed by every server's clock, however far they are apart. */
export const REVOKED = 0;

/** A bearer token, known by its SHA-256 only. */
export interface Credential {
  id: string;
  project: string;
  kind: CredentialKind;
  name: string;
  /** Hex SHA-256 of the token. */
  hash: string;
  /** Fleet of a join token, host of a host's credential; else null. */
  subject: string | null;
  createdAt: number;
  /** `REVOKED`: it was. */
  expiresAt: number | null;
  /** Join tokens: when it was used. */
  usedAt: number | null;
  /** Whose token it was made with, by name; null: no token was asked for, or it was not noted yet. */
  madeBy: string | null;
}

/** What all files of one project may come to. */
export interface FileRoom {
  bytesMax: number;
  filesMax: number;
}

/** A file or folder that a user sent along: a tar archive, known by the SHA-256 of its bytes in hex. */
export interface StoredFile {
  sha256: string;
  body: Uint8Array<ArrayBuffer>;
}

/** The fate of a batch is not known: it may have been applied. The identical batch may be sent again. */
export class UnclearOutcome extends Error {
  override name = "UnclearOutcome";
}

/**
 * The database. Every method is one round trip. `commit` is idempotent: the identical batch sent again answers
 * `committed` when the first one was applied (the stored commit id is ours).
 */
export interface Store {
  createProject(project: string, at: number, entities: Entity[]): Promise<"created" | "exists">;
  projects(): Promise<{ project: string; wakeAt: number | null }[]>;
  /**
   * Names of projects in which something was due before `before`. Of more than `limit` others each time, by chance: some
   * that fail whenever they are looked at would be in the way of the rest for ever.
   */
  overdue(before: number, limit: number): Promise<string[]>;
  load(project: string): Promise<LoadedProject | null>;
  /** @throws UnclearOutcome when the reply was lost or the database could not be reached. */
  commit(batch: CommitBatch): Promise<CommitOutcome>;
  /** Ids of inputs consumed by commits after `version`; used after a conflict. */
  inputsSince(project: string, version: number): Promise<string[]>;
  /** Commits after `version`, oldest first. `oldest` is the first version still kept. */
  journal(project: string, after: number, limit: number): Promise<{ oldest: number; rows: CommitRow[] }>;
  /** Drops journal rows below the newest `keep`; the last always stays. */
  trimJournal(project: string, keep: number): Promise<void>;
  idempotency(project: string, key: string): Promise<IdempotencyRecord | null>;
  trimIdempotency(before: number): Promise<void>;
  secrets(project: string, names: string[]): Promise<SealedSecret[]>;
  /** Keeps a credential. One of the same id stays as it is. */
  putCredential(credential: Credential): Promise<void>;
  /** Looks a bearer token up by its hash, in all projects. */
  credential(hash: string): Promise<Credential | null>;
  credentials(project: string): Promise<Credential[]>;
  /** Marks a join token used and stores the host's credential, both or neither. False: it was used already. */
  redeemJoin(joinId: string, at: number, host: Credential): Promise<boolean>;
  deleteCredential(project: string, id: string): Promise<boolean>;
  /**
   * Keeps a file. One that is there already is noted as used and not written again.
   * @returns false, and nothing is kept, when the project's files would be more than there is room for
   */
  putFile(project: string, file: StoredFile, at: number, room: FileRoom): Promise<boolean>;
  file(project: string, sha256: string): Promise<StoredFile | null>;
  /** Notes that these are used, so that they are not dropped soon. @returns the sizes in bytes of those there are */
  useFiles(project: string, sha256s: string[], at: number): Promise<{ sha256: string; bytes: number }[]>;
  /** Drops the project's files that were last used before `before` and that no revision names. */
  trimFiles(project: string, before: number): Promise<void>;
  close(): Promise<void>;
}
