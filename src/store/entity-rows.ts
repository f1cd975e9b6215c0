import type { InStatement } from "@libsql/client";
import type { Entity } from "../core/state.ts";
import { encodeEntity } from "./codec.ts";

/** Puts all the entities in one statement: a batch stays one round trip of a few statements, whatever its size. */
export function putEntities(project: string, entities: Entity[]): InStatement[] {
  if (entities.length === 0) return [];
  const rows = entities.map((entity) => {
    const { kind, id, schema, body } = encodeEntity(entity);
    return [kind, id, schema, body];
  });
  return [
    {
      // `WHERE true` keeps SQLite from reading ON CONFLICT as a join condition.
      sql: `INSERT INTO entities (project, kind, id, schema, body)
            SELECT :project, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(:rows) WHERE true
            ON CONFLICT (project, kind, id) DO UPDATE SET schema = excluded.schema, body = excluded.body`,
      args: { project, rows: JSON.stringify(rows) },
    },
  ];
}

export function deleteEntities(project: string, entities: Pick<Entity, "kind" | "id">[]): InStatement[] {
  if (entities.length === 0) return [];
  return [
    {
      sql: `DELETE FROM entities WHERE project = :project
            AND (kind, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:rows))`,
      args: { project, rows: JSON.stringify(entities.map(({ kind, id }) => [kind, id])) },
    },
  ];
}
