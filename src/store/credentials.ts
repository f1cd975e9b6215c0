import { and, eq, getTableColumns, sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { credentials } from "./schema.ts";
import type { Credential, Store } from "./types.ts";

type CredentialStore = Pick<Store, "putCredential" | "credential" | "credentials" | "redeemJoin" | "deleteCredential">;

const { usedFor: _, ...CREDENTIAL_COLUMNS } = getTableColumns(credentials);

export function credentialsOf(connection: Connection): CredentialStore {
  const { orm } = connection;
  // Runs for every request that carries a token, so its SQL is built once.
  const byHash = orm
    .select(CREDENTIAL_COLUMNS)
    .from(credentials)
    .where(eq(credentials.hash, sql.placeholder("hash")))
    .prepare();
  return {
    async putCredential(credential) {
      await connection.writing(`store credential ${credential.id}`, () =>
        orm
          .insert(credentials)
          .values(credential)
          .onConflictDoNothing({ target: [credentials.project, credentials.id] }),
      );
    },
    async credential(hash) {
      const [found] = await connection.reading("look a credential up", () => byHash.all({ hash }));
      return found ?? null;
    },
    credentials: (project) =>
      connection.reading(`list the credentials of project ${project}`, () =>
        orm.select(CREDENTIAL_COLUMNS).from(credentials).where(eq(credentials.project, project)),
      ),
    redeemJoin: (joinId, at, host) => redeemJoin(connection, joinId, at, host),
    async deleteCredential(project, id) {
      const { rowsAffected } = await connection.writing(`delete credential ${id}`, () =>
        orm.delete(credentials).where(and(eq(credentials.project, project), eq(credentials.id, id))),
      );
      return rowsAffected > 0;
    },
  };
}

/**
 * The join token remembers the hash of the credential that was made with it, so of many hosts that use it at once
 * exactly one is served, and the identical call sent again after a lost answer is told yes again.
 */
async function redeemJoin(connection: Connection, joinId: string, at: number, host: Credential): Promise<boolean> {
  const { project, hash } = host;
  const statements = [
    {
      sql: `UPDATE credentials SET used_at = :at, used_for = :hash
            WHERE project = :project AND id = :joinId AND kind = 'join' AND used_at IS NULL
            AND (expires_at IS NULL OR expires_at > :at)`,
      args: { project, joinId, hash, at },
    },
    {
      sql: `INSERT INTO credentials (project, id, kind, name, hash, subject, created_at, expires_at, used_at, made_by)
            SELECT :project, :id, :kind, :name, :hash, :subject, :createdAt, :expiresAt, :usedAt, :madeBy FROM credentials
            WHERE project = :project AND id = :joinId AND used_for = :hash
            ON CONFLICT (project, id) DO UPDATE SET
              kind = excluded.kind, name = excluded.name, hash = excluded.hash, subject = excluded.subject,
              created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = excluded.used_at,
              made_by = excluded.made_by`,
      args: { ...host, joinId },
    },
    {
      sql: "SELECT 1 FROM credentials WHERE project = :project AND id = :joinId AND used_for = :hash",
      args: { project, joinId, hash },
    },
  ];
  const results = await connection.writing(`redeem join token ${joinId}`, () =>
    connection.client.batch(statements, "write"),
  );
  return results.at(-1)?.rows.length === 1;
}
