import { and, eq, inArray, lt, sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { entities, files } from "./schema.ts";
import type { Store } from "./types.ts";

/** What users send along with their services. */
export function filesOf(connection: Connection): Pick<Store, "putFile" | "file" | "useFiles" | "trimFiles"> {
  const { orm } = connection;
  return {
    async putFile(project, { sha256, body }, at, { bytesMax, filesMax }) {
      const bytes = body.byteLength;
      // One statement, so that two uploads at a time cannot both take the last room.
      const fits = sql`SELECT coalesce(sum(${files.bytes}), 0) + ${bytes} <= ${bytesMax} AND count(*) < ${filesMax}
        FROM ${files} WHERE ${files.project} = ${project} AND ${files.sha256} <> ${sha256}`;
      const kept = await connection.writing(`keep a file of project ${project}`, () =>
        orm.all(
          sql`INSERT INTO ${files} (project, sha256, bytes, body, used_at)
            SELECT ${project}, ${sha256}, ${bytes}, ${body}, ${at} WHERE (${fits})
            ON CONFLICT (project, sha256) DO UPDATE SET used_at = max(used_at, excluded.used_at) RETURNING sha256`,
        ),
      );
      return kept.length > 0;
    },
    async file(project, sha256) {
      const [found] = await connection.reading(`read a file of project ${project}`, () =>
        // Read as the driver has it: the column's own type would make a Buffer, which only Node has.
        orm.all<{ body: ArrayBuffer }>(
          sql`SELECT body FROM ${files} WHERE ${files.project} = ${project} AND ${files.sha256} = ${sha256}`,
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
    async trimFiles(project, before) {
      // Collected once: looked for in every revision, many small files would take the database minutes.
      const named = sql`SELECT json_extract(file.value, '$.sha256') FROM ${entities}, json_each(${entities.body}, '$.files') AS file
        WHERE ${entities.project} = ${project} AND ${entities.kind} = 'revision'`;
      await connection.writing(`drop files of project ${project} that nothing uses`, () =>
        orm
          .delete(files)
          .where(and(eq(files.project, project), lt(files.usedAt, before), sql`${files.sha256} NOT IN (${named})`)),
      );
    },
  };
}
