import type { Entity } from "../../src/core/state.ts";
import { decodeEntity, type EntityRow, encodeEntity } from "../../src/store/codec.ts";
import { StoreError } from "../../src/store/errors.ts";
import {
  type CommitBatch,
  type CommitOutcome,
  type CommitRow,
  type Credential,
  type FileRoom,
  type IdempotencyRecord,
  type LoadedProject,
  REVOKED,
  type SealedSecret,
  type Store,
  type StoredFile,
} from "../../src/store/types.ts";

const FIRST_VERSION = 1;
/** Most rows given at once, as the real store has it. */
const PAGE_ROWS_MAX = 1_000;

interface StoredProject {
  version: number;
  wakeAt: number | null;
  /** By kind and id. Stored as the real store has them, so that what cannot be stored is refused here too. */
  entities: Map<string, EntityRow>;
  commits: Map<number, CommitRow & { commitId: string }>;
  answers: Map<string, IdempotencyRecord>;
  secrets: Map<string, SealedSecret>;
  files: Map<string, { body: StoredFile["body"]; usedAt: number }>;
}

interface StoredCredential {
  credential: Credential;
  /** Hash of the credential that a join token was redeemed for. */
  usedFor: string | null;
}

/** A database in memory. Every call is whole before it returns, so any number of writers may use it. */
export class MemoryStore implements Store {
  private readonly byName = new Map<string, StoredProject>();
  private readonly byCredential = new Map<string, StoredCredential>();
  private overdueAsked = 0;

  async createProject(project: string, at: number, entities: Entity[]): Promise<"created" | "exists"> {
    if (this.byName.has(project)) return "exists";
    const events = [{ type: "project.created", message: `Project ${project} was created.` }];
    const first = { version: FIRST_VERSION, at, cause: "create", actor: "controller", inputs: [], events };
    this.byName.set(project, {
      version: FIRST_VERSION,
      wakeAt: null,
      entities: new Map(entities.map((entity) => [keyOf(entity), encodeEntity(entity)])),
      commits: new Map([[FIRST_VERSION, { ...first, commitId: "create" }]]),
      answers: new Map(),
      secrets: new Map(),
      files: new Map(),
    });
    return "created";
  }

  async projects(): Promise<{ project: string; wakeAt: number | null }[]> {
    return [...this.byName].map(([project, { wakeAt }]) => ({ project, wakeAt }));
  }

  async overdue(before: number, limit: number): Promise<string[]> {
    const due = [...this.byName].filter(([, { wakeAt }]) => wakeAt !== null && wakeAt < before);
    // Others each time, and the same in each run.
    this.overdueAsked += 1;
    const turned = due.map((_, i) => due[(i + this.overdueAsked) % due.length] as (typeof due)[number]);
    return turned.slice(0, limit).map(([project]) => project);
  }

  async load(project: string): Promise<LoadedProject | null> {
    const stored = this.byName.get(project);
    if (!stored) return null;
    const rows = [...stored.entities].sort(([a], [b]) => (a < b ? -1 : 1));
    const entities = rows.map(([, row]) => decodeEntity(row));
    return { version: stored.version, wakeAt: stored.wakeAt, entities };
  }

  async commit(batch: CommitBatch): Promise<CommitOutcome> {
    const { project, version, commitId } = batch;
    const rows = checked(batch);
    const stored = this.byName.get(project);
    if (!stored) throw new StoreError("refused", `There is no project ${project}.`);
    if (stored.version >= version) {
      const holder = stored.commits.get(version)?.commitId ?? "";
      return holder === commitId ? { kind: "committed" } : { kind: "conflict", commitId: holder };
    }
    if (stored.version < version - 1) {
      const message = `Commit ${version} of project ${project} would leave a gap: the newest is ${stored.version}.`;
      throw new StoreError("refused", message);
    }
    for (const { key } of batch.idempotency) {
      if (stored.answers.has(key)) throw new StoreError("refused", `The request ${key} was answered before.`);
    }
    const owned = new Set(this.credentialsNow(project).flatMap(({ kind, hash }) => (kind === "host" ? [hash] : [])));
    if (!batch.reliesOn.every((hash) => owned.has(hash))) {
      throw new StoreError("refused", `A host that commit ${version} of project ${project} relies on is gone.`);
    }
    for (const credential of batch.credentials) this.refuseTwin(credential);
    if (this.endsLastAdmin(batch)) {
      throw new StoreError("refused", `Commit ${version} of project ${project} revokes its last admin token.`);
    }
    for (const credential of batch.credentials) this.keep(credential);
    const revoked = this.credentialsNow(project).filter(({ id }) => batch.revokedTokens.includes(id));
    for (const credential of revoked) if (credential.kind !== "host") credential.expiresAt = REVOKED;
    for (const row of rows) stored.entities.set(keyOf(row), row);
    for (const deleted of batch.deletes) {
      stored.entities.delete(keyOf(deleted));
      if (deleted.kind === "host") this.deleteCredentialOf(project, deleted.id);
    }
    for (const record of batch.idempotency) stored.answers.set(record.key, { ...record });
    for (const secret of batch.secrets) stored.secrets.set(secret.name, { ...secret });
    for (const name of batch.deletedSecrets) stored.secrets.delete(name);
    const { at, cause, actor } = batch;
    const inputs = [...batch.inputs];
    const events = batch.events.map((event) => ({ ...event }));
    stored.commits.set(version, { version, at, cause, actor, inputs, events, commitId });
    stored.version = version;
    stored.wakeAt = batch.wakeAt;
    return { kind: "committed" };
  }

  async inputsSince(project: string, version: number): Promise<string[]> {
    const rows = rowsOf(this.byName.get(project));
    const oldest = rows[0]?.version ?? 0;
    if (oldest > version + 1) {
      const message = `The journal of project ${project} begins at ${oldest}: what was consumed after ${version} is not known.`;
      throw new StoreError("refused", message);
    }
    return rows.filter((row) => row.version > version).flatMap((row) => row.inputs);
  }

  async journal(project: string, after: number, limit: number): Promise<{ oldest: number; rows: CommitRow[] }> {
    const rows = rowsOf(this.byName.get(project));
    const wanted = rows.filter((row) => row.version > after);
    const page = wanted.slice(0, Math.max(0, Math.min(limit, PAGE_ROWS_MAX)));
    return {
      oldest: rows[0]?.version ?? 0,
      rows: page.map(({ commitId: _, ...row }) => structuredClone(row)),
    };
  }

  async trimJournal(project: string, keep: number): Promise<void> {
    const stored = this.byName.get(project);
    const surplus = rowsOf(stored).slice(0, -Math.max(1, Math.floor(keep)));
    for (const { version } of surplus) stored?.commits.delete(version);
  }

  async idempotency(project: string, key: string): Promise<IdempotencyRecord | null> {
    const record = this.byName.get(project)?.answers.get(key);
    return record ? { ...record } : null;
  }

  async putFile(project: string, { sha256, body }: StoredFile, at: number, room: FileRoom): Promise<boolean> {
    const files = this.byName.get(project)?.files;
    if (!files) throw new StoreError("refused", `There is no project ${project}.`);
    const kept = files.get(sha256);
    let bytes = body.byteLength;
    for (const [name, other] of files) if (name !== sha256) bytes += other.body.byteLength;
    if (bytes > room.bytesMax || (!kept && files.size >= room.filesMax)) return false;
    files.set(sha256, { body: kept?.body ?? body, usedAt: Math.max(at, kept?.usedAt ?? 0) });
    return true;
  }

  async file(project: string, sha256: string): Promise<StoredFile | null> {
    const kept = this.byName.get(project)?.files.get(sha256);
    return kept ? { sha256, body: kept.body } : null;
  }

  async useFiles(project: string, sha256s: string[], at: number): Promise<{ sha256: string; bytes: number }[]> {
    const files = this.byName.get(project)?.files;
    return sha256s.flatMap((sha256) => {
      const kept = files?.get(sha256);
      if (!kept) return [];
      kept.usedAt = Math.max(kept.usedAt, at);
      return [{ sha256, bytes: kept.body.byteLength }];
    });
  }

  async trimFiles(project: string, before: number): Promise<void> {
    const stored = this.byName.get(project);
    if (!stored) return;
    const revisions = [...stored.entities.values()].filter(({ kind }) => kind === "revision");
    for (const [sha256, { usedAt }] of stored.files) {
      if (usedAt < before && !revisions.some(({ body }) => body.includes(sha256))) stored.files.delete(sha256);
    }
  }

  async trimIdempotency(before: number): Promise<void> {
    for (const { answers } of this.byName.values()) {
      for (const [key, { at }] of answers) if (at < before) answers.delete(key);
    }
  }

  async secrets(project: string, names: string[]): Promise<SealedSecret[]> {
    const stored = this.byName.get(project);
    return names.flatMap((name) => stored?.secrets.get(name) ?? []).map((secret) => ({ ...secret }));
  }

  async putCredential(credential: Credential): Promise<void> {
    this.refuseTwin(credential);
    this.keep(credential);
  }

  private keep(credential: Credential): void {
    const key = credentialKey(credential);
    if (!this.byCredential.has(key)) this.byCredential.set(key, { credential: { ...credential }, usedFor: null });
  }

  private endsLastAdmin({ project, at, credentials, revokedTokens }: CommitBatch): boolean {
    const usable = [...this.credentialsNow(project), ...credentials].filter(
      ({ kind, expiresAt }) => kind === "admin" && (expiresAt === null || expiresAt > at),
    );
    const ended = usable.filter(({ id }) => revokedTokens.includes(id));
    return ended.length > 0 && ended.length === usable.length;
  }

  async credential(hash: string): Promise<Credential | null> {
    for (const { credential } of this.byCredential.values()) if (credential.hash === hash) return { ...credential };
    return null;
  }

  async credentials(project: string): Promise<Credential[]> {
    return this.credentialsNow(project).map((credential) => ({ ...credential }));
  }

  /** The same at this moment, for who looks on. */
  credentialsNow(project: string): Credential[] {
    return [...this.byCredential.values()].flatMap(({ credential }) =>
      credential.project === project ? [credential] : [],
    );
  }

  async redeemJoin(joinId: string, at: number, host: Credential): Promise<boolean> {
    const join = this.byCredential.get(credentialKey({ project: host.project, id: joinId }));
    if (join?.credential.kind !== "join") return false;
    const { usedAt, expiresAt } = join.credential;
    const isFree = usedAt === null && (expiresAt === null || expiresAt > at);
    if (!isFree && join.usedFor !== host.hash) return false;
    this.refuseTwin(host);
    if (isFree) {
      join.credential.usedAt = at;
      join.usedFor = host.hash;
    }
    this.byCredential.set(credentialKey(host), { credential: { ...host }, usedFor: null });
    return true;
  }

  async deleteCredential(project: string, id: string): Promise<boolean> {
    return this.byCredential.delete(credentialKey({ project, id }));
  }

  async close(): Promise<void> {
    // What is in memory stays for the other writers.
  }

  /** The join token that made it is for nobody from then on. */
  private deleteCredentialOf(project: string, host: string): void {
    for (const [key, { credential }] of this.byCredential) {
      if (credential.project !== project || credential.kind !== "host" || credential.subject !== host) continue;
      this.byCredential.delete(key);
      for (const other of this.byCredential.values()) if (other.usedFor === credential.hash) other.usedFor = null;
    }
  }

  /** Two credentials never share a hash. */
  private refuseTwin(credential: Credential): void {
    for (const { credential: other } of this.byCredential.values()) {
      if (other.hash !== credential.hash || credentialKey(other) === credentialKey(credential)) continue;
      throw new StoreError("refused", `Credential ${credential.id} has the token of another one.`);
    }
  }
}

function keyOf({ kind, id }: { kind: string; id: string }): string {
  return `${kind} ${id}`;
}

function credentialKey({ project, id }: { project: string; id: string }): string {
  return `${project} ${id}`;
}

function rowsOf(stored: StoredProject | undefined): (CommitRow & { commitId: string })[] {
  // Commits are put in their order, and a map keeps it.
  return [...(stored?.commits.values() ?? [])];
}

/** The entities as rows. @throws StoreError when the batch contradicts itself or an entity cannot be stored */
function checked(batch: CommitBatch): EntityRow[] {
  const refuse = (why: string): never => {
    throw new StoreError("refused", `Commit ${batch.version} of project ${batch.project} contradicts itself: ${why}.`);
  };
  if (batch.wakeAt !== null && !Number.isSafeInteger(batch.wakeAt)) refuse("`wakeAt` is not an instant");
  if (!Number.isSafeInteger(batch.at)) refuse("`at` is not an instant");
  if (batch.credentials.some(({ project }) => project !== batch.project)) refuse("a credential is another project's");
  const named = new Set<string>();
  for (const entity of [...batch.puts, ...batch.deletes]) {
    if (named.has(keyOf(entity))) refuse(`${keyOf(entity)} is put or deleted twice`);
    named.add(keyOf(entity));
  }
  return batch.puts.map(encodeEntity);
}
