import type { InStatement } from "@libsql/client";
import { and, eq } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { deleteHostCredentials, putCredentials, requireHosts, revokeTokens } from "./credential-rows.ts";
import { deleteEntities, putEntities } from "./entity-rows.ts";
import { StoreError } from "./errors.ts";
import { commits, projects } from "./schema.ts";
import type { CommitBatch, CommitOutcome, IdempotencyRecord, SealedSecret } from "./types.ts";

/** Version that `createProject` makes. Every later commit has a predecessor. */
export const FIRST_VERSION = 1;

/**
 * Writes a commit: one batch, one round trip, whole or absent. A second round trip is made only when the database
 * refuses, to see who has the version.
 *
 * @throws StoreError when nothing was written: the batch contradicts itself, leaves a gap, or repeats an idempotency key
 * @throws UnclearOutcome when it may have been written; the identical batch may be sent again
 */
export async function commit(connection: Connection, batch: CommitBatch): Promise<CommitOutcome> {
  const statements = commitStatements(batch);
  const what = `write commit ${batch.version} of project ${batch.project}`;
  try {
    await connection.writing(what, () => connection.client.batch(statements, "write"));
    return { kind: "committed" };
  } catch (error) {
    if (error instanceof StoreError && error.code === "refused") return whoHas(connection, batch, error);
    throw error;
  }
}

/**
 * The statements of a commit. Each of them binds `:project` to the one project of the batch, so that no commit can
 * touch a row of another.
 */
export function commitStatements(batch: CommitBatch): InStatement[] {
  assertConsistent(batch);
  const { project, version, wakeAt } = batch;
  return [
    insertCommit(batch),
    ...requireHosts(project, batch.reliesOn),
    ...putCredentials(project, batch.credentials),
    ...revokeTokens(project, batch.revokedTokens, batch.at),
    ...putEntities(project, batch.puts),
    ...deleteEntities(project, batch.deletes),
    ...putSecrets(project, batch.secrets),
    ...deleteSecrets(project, batch.deletedSecrets),
    ...deleteHostCredentials(
      project,
      batch.deletes.flatMap(({ kind, id }) => (kind === "host" ? [id] : [])),
    ),
    ...insertIdempotency(project, batch.idempotency),
    {
      sql: "UPDATE projects SET version = :version, wake_at = :wakeAt WHERE project = :project",
      args: { project, version, wakeAt },
    },
  ];
}

/**
 * The row that makes the version ours. The primary key refuses a version that is taken; where the predecessor is
 * missing its id comes out as NULL, which the column refuses, so that versions have no gaps.
 */
function insertCommit(batch: CommitBatch): InStatement {
  const { project, version, commitId, at, cause, actor } = batch;
  return {
    sql: `INSERT INTO commits (project, version, commit_id, at, cause, actor, inputs, events)
          VALUES (:project, :version,
                  (SELECT :commitId FROM commits WHERE project = :project AND version = :version - 1),
                  :at, :cause, :actor, :inputs, :events)`,
    args: {
      project,
      version,
      commitId,
      at,
      cause,
      actor,
      inputs: JSON.stringify(batch.inputs),
      events: JSON.stringify(batch.events),
    },
  };
}

function putSecrets(project: string, secrets: SealedSecret[]): InStatement[] {
  if (secrets.length === 0) return [];
  const rows = secrets.map(({ name, version, keyId, sealed }) => [name, version, keyId, sealed]);
  return [
    {
      sql: `INSERT INTO secrets (project, name, version, key_id, sealed)
            SELECT :project, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(:rows) WHERE true
            ON CONFLICT (project, name) DO UPDATE
            SET version = excluded.version, key_id = excluded.key_id, sealed = excluded.sealed`,
      args: { project, rows: JSON.stringify(rows) },
    },
  ];
}

function deleteSecrets(project: string, names: string[]): InStatement[] {
  if (names.length === 0) return [];
  return [
    {
      sql: "DELETE FROM secrets WHERE project = :project AND name IN (SELECT value FROM json_each(:names))",
      args: { project, names: JSON.stringify(names) },
    },
  ];
}

/** A key that is there already makes the whole batch fail: the request it names was answered, and is not done twice. */
function insertIdempotency(project: string, records: IdempotencyRecord[]): InStatement[] {
  if (records.length === 0) return [];
  const rows = records.map(({ key, requestHash, answer, at }) => [key, requestHash, answer, at]);
  return [
    {
      sql: `INSERT INTO idempotency_keys (project, key, request_hash, answer, at)
            SELECT :project, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(:rows)`,
      args: { project, rows: JSON.stringify(rows) },
    },
  ];
}

/** After a refusal: was it our own batch, applied before, another's, or no conflict at all? */
async function whoHas(connection: Connection, batch: CommitBatch, refusal: StoreError): Promise<CommitOutcome> {
  const { project, version } = batch;
  // The batch itself did nothing, but whether an earlier sending did is open until this read is answered.
  const [[row], [head]] = await connection.writing(`see who has commit ${version} of project ${project}`, () =>
    connection.orm.batch([
      connection.orm
        .select({ commitId: commits.commitId })
        .from(commits)
        .where(and(eq(commits.project, project), eq(commits.version, version))),
      connection.orm.select({ version: projects.version }).from(projects).where(eq(projects.project, project)),
    ]),
  );
  if (row)
    return row.commitId === batch.commitId ? { kind: "committed" } : { kind: "conflict", commitId: row.commitId };
  if (!head) throw new StoreError("refused", `There is no project ${project}.`);
  if (head.version >= version) return { kind: "conflict", commitId: "" };
  if (head.version < version - 1) {
    const message = `Commit ${version} of project ${project} would leave a gap: the newest is ${head.version}.`;
    throw new StoreError("refused", message);
  }
  throw refusal;
}

/** Refuses what could only come from a mistake of the caller, before any of it is sent. */
function assertConsistent(batch: CommitBatch): void {
  const refuse = (why: string): never => {
    throw new StoreError("refused", `Commit ${batch.version} of project ${batch.project} contradicts itself: ${why}.`);
  };
  if (batch.project === "") refuse("it names no project");
  if (batch.commitId === "") refuse("it has no id");
  if (!Number.isSafeInteger(batch.version) || batch.version <= FIRST_VERSION)
    refuse("its version is not after the first");
  if (!Number.isSafeInteger(batch.at)) refuse("`at` is not an instant");
  if (batch.wakeAt !== null && !Number.isSafeInteger(batch.wakeAt)) refuse("`wakeAt` is not an instant");
  if (batch.credentials.some(({ project }) => project !== batch.project)) refuse("a credential is another project's");
  const named = new Set<string>();
  for (const { kind, id } of [...batch.puts, ...batch.deletes]) {
    const key = `${kind} ${id}`;
    if (named.has(key)) refuse(`${key} is put or deleted twice`);
    named.add(key);
  }
}
