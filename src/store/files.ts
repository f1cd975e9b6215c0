import { and, eq, inArray, sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { fileBodies, files } from "./schema.ts";
import type { FileRoom, Store, StoredFile } from "./types.ts";

/** What users send along with their services. */
export function filesOf(connection: Connection): Pick<Store, "putFile" | "file" | "useFiles" | "trimFiles"> {
  const { orm } = connection;
  return {
    putFile: (project, file, at, room) => putFile(connection, project, file, at, room),
    async file(project, sha256) {
      const [found] = await connection.reading(`read a file of project ${project}`, () =>
        // Read as the driver has it: the column's own type would make a Buffer, which only Node has.
        orm.all<{ body: ArrayBuffer }>(
          sql`SELECT body FROM ${fileBodies} WHERE ${fileBodies.project} = ${project} AND ${fileBodies.sha256} = ${sha256}`,
        ),
      );
      return found ? { sha256, body: new Uint8Array(found.body) } : null;
    },
    useFiles: (project, sha256s, at) =>
      connection.writing(`note that files of project ${project} are used`, () =>
        orm
          .update(files)
          .set({ usedAt: sql`max(${files.usedAt}, ${at})` })
          .where(and(eq(files.project, project), inArray(files.sha256, sha256s)))
          .returning({ sha256: files.sha256, bytes: files.bytes }),
      ),
    trimFiles: (project, before) => trimFiles(connection, project, before),
  };
}

async function putFile(
  connection: Connection,
  project: string,
  { sha256, body }: StoredFile,
  at: number,
  { bytesMax, filesMax }: FileRoom,
): Promise<boolean> {
  const statements = [
    {
      // One statement, so that two uploads at a time cannot both take the last room.
      sql: `INSERT INTO files (project, sha256, bytes, used_at) SELECT :project, :sha256, :bytes, :at
            WHERE (SELECT coalesce(sum(bytes), 0) + :bytes <= :bytesMax AND count(*) < :filesMax
                   FROM files WHERE project = :project AND sha256 <> :sha256)
            ON CONFLICT (project, sha256) DO UPDATE SET used_at = max(used_at, excluded.used_at) RETURNING sha256`,
      args: { project, sha256, bytes: body.byteLength, at, bytesMax, filesMax },
    },
    {
      sql: `INSERT INTO file_bodies (project, sha256, body) SELECT project, sha256, :body FROM files
            WHERE project = :project AND sha256 = :sha256 ON CONFLICT (project, sha256) DO NOTHING`,
      args: { project, sha256, body },
    },
  ];
  const [kept] = await connection.writing(`keep a file of project ${project}`, () =>
    connection.client.batch(statements, "write"),
  );
  return kept?.rows.length === 1;
}

async function trimFiles(connection: Connection, project: string, before: number): Promise<void> {
  const statements = [
    {
      // Collected once: looked for in every revision, many small files would take the database minutes.
      sql: `DELETE FROM files WHERE project = :project AND used_at < :before AND sha256 NOT IN (
              SELECT json_extract(file.value, '$.sha256') FROM entities, json_each(entities.body, '$.files') AS file
              WHERE entities.project = :project AND entities.kind = 'revision')`,
      args: { project, before },
    },
    {
      sql: `DELETE FROM file_bodies WHERE project = :project
            AND sha256 NOT IN (SELECT sha256 FROM files WHERE project = :project)`,
      args: { project },
    },
  ];
  await connection.writing(`drop files of project ${project} that nothing uses`, () =>
    connection.client.batch(statements, "write"),
  );
}
