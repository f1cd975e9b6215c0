import { and, eq, getTableColumns, lt, sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { idempotencyKeys, secrets } from "./schema.ts";
import type { Store } from "./types.ts";

const { project: _ofSecret, ...SECRET_COLUMNS } = getTableColumns(secrets);
const { project: _ofAnswer, ...ANSWER_COLUMNS } = getTableColumns(idempotencyKeys);

/** What commits keep beside the entities: sealed values, and answers to requests that may be sent again. */
export function keptOf(connection: Connection): Pick<Store, "secrets" | "idempotency" | "trimIdempotency"> {
  const { orm } = connection;
  return {
    secrets: (project, names) =>
      connection.reading(`read the sealed values of project ${project}`, () =>
        orm
          .select(SECRET_COLUMNS)
          .from(secrets)
          .where(
            and(
              eq(secrets.project, project),
              // One parameter, whatever the number of names.
              sql`${secrets.name} IN (SELECT value FROM json_each(${JSON.stringify(names)}))`,
            ),
          ),
      ),
    async idempotency(project, key) {
      const [found] = await connection.reading(`look for an earlier answer in project ${project}`, () =>
        orm
          .select(ANSWER_COLUMNS)
          .from(idempotencyKeys)
          .where(and(eq(idempotencyKeys.project, project), eq(idempotencyKeys.key, key))),
      );
      return found ?? null;
    },
    async trimIdempotency(before) {
      await connection.writing("drop old answers", () =>
        orm.delete(idempotencyKeys).where(lt(idempotencyKeys.at, before)),
      );
    },
  };
}
