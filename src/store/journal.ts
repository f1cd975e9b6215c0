import { and, asc, eq, gt, min } from "drizzle-orm";
import type { JournalEvent } from "../core/state.ts";
import type { Connection } from "./connection.ts";
import { StoreError } from "./errors.ts";
import { commits } from "./schema.ts";
import type { CommitRow, Store } from "./types.ts";

/** Most rows given at once, whatever was asked for: a reader goes on from the last one it got. */
const PAGE_ROWS_MAX = 1_000;
/** Most rows dropped at once: a journal that was never trimmed must not lock the database for seconds. */
const TRIM_ROWS_MAX = 10_000;

export function journalOf(connection: Connection): Pick<Store, "inputsSince" | "journal" | "trimJournal"> {
  return {
    inputsSince: (project, version) => inputsSince(connection, project, version),
    journal: (project, after, limit) => journal(connection, project, after, limit),
    trimJournal: (project, keep) => trimJournal(connection, project, keep),
  };
}

async function inputsSince(connection: Connection, project: string, version: number): Promise<string[]> {
  const [[oldest], rows] = await connection.reading(`read what was consumed in project ${project}`, () =>
    connection.orm.batch([
      selectOldest(connection, project),
      connection.orm
        .select({ inputs: commits.inputs })
        .from(commits)
        .where(and(eq(commits.project, project), gt(commits.version, version)))
        .orderBy(asc(commits.version)),
    ]),
  );
  if (oldest?.version && oldest.version > version + 1) {
    const message = `The journal of project ${project} begins at ${oldest.version}: what was consumed after ${version} is not known.`;
    throw new StoreError("refused", message);
  }
  return rows.flatMap((row) => JSON.parse(row.inputs) as string[]);
}

async function journal(
  connection: Connection,
  project: string,
  after: number,
  limit: number,
): Promise<{ oldest: number; rows: CommitRow[] }> {
  const [[oldest], rows] = await connection.reading(`read the journal of project ${project}`, () =>
    connection.orm.batch([
      selectOldest(connection, project),
      connection.orm
        .select()
        .from(commits)
        .where(and(eq(commits.project, project), gt(commits.version, after)))
        .orderBy(asc(commits.version))
        .limit(Math.max(0, Math.min(limit, PAGE_ROWS_MAX))),
    ]),
  );
  return {
    oldest: oldest?.version ?? 0,
    rows: rows.map(({ version, at, cause, actor, inputs, events }) => ({
      version,
      at,
      cause,
      actor,
      inputs: JSON.parse(inputs) as string[],
      events: JSON.parse(events) as JournalEvent[],
    })),
  };
}

async function trimJournal(connection: Connection, project: string, keep: number): Promise<void> {
  const kept = Math.max(1, Math.floor(keep));
  await connection.writing(`trim the journal of project ${project}`, () =>
    connection.client.execute({
      sql: `DELETE FROM commits WHERE project = :project
            AND version <= (SELECT max(version) FROM commits WHERE project = :project) - :kept
            AND version < (SELECT min(version) FROM commits WHERE project = :project) + :most`,
      args: { project, kept, most: TRIM_ROWS_MAX },
    }),
  );
}

function selectOldest(connection: Connection, project: string) {
  return connection.orm
    .select({ version: min(commits.version) })
    .from(commits)
    .where(eq(commits.project, project));
}
