import type { InStatement } from "@libsql/client";
import { type Credential, REVOKED } from "./types.ts";

/** Where one is missing the version comes out as NULL, which the column refuses. */
export function requireHosts(project: string, hashes: string[]): InStatement[] {
  if (hashes.length === 0) return [];
  return [
    {
      sql: `UPDATE projects SET version = CASE WHEN NOT EXISTS (
              SELECT 1 FROM json_each(:hashes)
              WHERE value NOT IN (SELECT hash FROM credentials WHERE project = :project AND kind = 'host')
            ) THEN version END WHERE project = :project`,
      args: { project, hashes: JSON.stringify(hashes) },
    },
  ];
}

/** One that is there stays, so that a request which was repeated does not undo what has become of its token. */
export function putCredentials(project: string, credentials: Credential[]): InStatement[] {
  if (credentials.length === 0) return [];
  const rows = credentials.map(({ id, kind, name, hash, subject, createdAt, expiresAt, usedAt, madeBy }) => {
    return [id, kind, name, hash, subject, createdAt, expiresAt, usedAt, madeBy];
  });
  return [
    {
      sql: `INSERT INTO credentials (project, id, kind, name, hash, subject, created_at, expires_at, used_at, made_by)
            SELECT :project, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
              value ->> 7, value ->> 8 FROM json_each(:rows) WHERE true
            ON CONFLICT (project, id) DO NOTHING`,
      args: { project, rows: JSON.stringify(rows) },
    },
  ];
}

/**
 * What is asked of other admin tokens is asked by the write itself, so that of two that end each other one stays: where
 * none would, the version comes out as NULL, which the column refuses.
 */
export function revokeTokens(project: string, ids: string[], at: number): InStatement[] {
  if (ids.length === 0) return [];
  const args = { project, ids: JSON.stringify(ids) };
  const among = "id IN (SELECT value FROM json_each(:ids))";
  const usable = `SELECT 1 FROM credentials
                  WHERE project = :project AND kind = 'admin' AND (expires_at IS NULL OR expires_at > :at)`;
  return [
    {
      sql: `UPDATE projects
            SET version = CASE WHEN NOT EXISTS (${usable} AND ${among}) OR EXISTS (${usable} AND NOT ${among}) THEN version END
            WHERE project = :project`,
      args: { ...args, at },
    },
    {
      sql: `UPDATE credentials SET expires_at = :revoked WHERE project = :project AND kind <> 'host' AND ${among}`,
      args: { ...args, revoked: REVOKED },
    },
  ];
}

/**
 * The credentials of hosts that are deleted. The join token that made one stays used up and is for nobody from then on:
 * it would give its host the credential back.
 */
export function deleteHostCredentials(project: string, hosts: string[]): InStatement[] {
  if (hosts.length === 0) return [];
  const args = { project, hosts: JSON.stringify(hosts) };
  const theirs = "project = :project AND kind = 'host' AND subject IN (SELECT value FROM json_each(:hosts))";
  return [
    {
      sql: `UPDATE credentials SET used_for = NULL
            WHERE project = :project AND used_for IN (SELECT hash FROM credentials WHERE ${theirs})`,
      args,
    },
    { sql: `DELETE FROM credentials WHERE ${theirs}`, args },
  ];
}
