import { asc, eq, lt, sql } from "drizzle-orm";
import type { Entity } from "../core/state.ts";
import { decodeEntity, type EntityRow } from "./codec.ts";
import { FIRST_VERSION } from "./commit.ts";
import type { Connection } from "./connection.ts";
import { putEntities } from "./entity-rows.ts";
import { StoreError } from "./errors.ts";
import { entities, projects } from "./schema.ts";
import type { LoadedProject, Store } from "./types.ts";

/** Rows read at once; keeps an answer at a few MB, the most that a database over HTTP sends well in one piece. */
const PAGE_ROWS = 2_000;
/** A load starts again when a commit comes between its pages; more often than this means that two controllers fight. */
const LOAD_TRIES_MAX = 5;

export function projectsOf(connection: Connection): Pick<Store, "createProject" | "projects" | "overdue" | "load"> {
  return {
    createProject: (project, at, entities) => createProject(connection, project, at, entities),
    projects: () =>
      connection.reading("list the projects", () =>
        connection.orm.select({ project: projects.project, wakeAt: projects.wakeAt }).from(projects),
      ),
    overdue: async (before, limit) => {
      const rows = await connection.reading("look for projects that are overdue", () =>
        connection.orm
          .select({ project: projects.project })
          .from(projects)
          .where(lt(projects.wakeAt, before))
          .orderBy(sql`random()`)
          .limit(limit),
      );
      return rows.map(({ project }) => project);
    },
    load: (project) => load(connection, project),
  };
}

/** Creation is the first commit, so that the journal tells everything and every later commit has a predecessor. */
async function createProject(
  connection: Connection,
  project: string,
  at: number,
  entities: Entity[],
): Promise<"created" | "exists"> {
  const events = [{ type: "project.created", message: `Project ${project} was created.` }];
  const statements = [
    {
      sql: "INSERT INTO projects (project, version, wake_at, created_at) VALUES (:project, :version, NULL, :at)",
      args: { project, version: FIRST_VERSION, at },
    },
    {
      sql: `INSERT INTO commits (project, version, commit_id, at, cause, actor, inputs, events)
            VALUES (:project, :version, 'create', :at, 'create', 'controller', '[]', :events)`,
      args: { project, version: FIRST_VERSION, at, events: JSON.stringify(events) },
    },
    ...putEntities(project, entities),
  ];
  try {
    await connection.writing(`create project ${project}`, () => connection.client.batch(statements, "write"));
    return "created";
  } catch (error) {
    if (error instanceof StoreError && error.code === "refused" && (await exists(connection, project))) return "exists";
    throw error;
  }
}

async function exists(connection: Connection, project: string): Promise<boolean> {
  const found = await connection.reading(`look for project ${project}`, () => selectProject(connection, project));
  return found.length > 0;
}

async function load(connection: Connection, project: string): Promise<LoadedProject | null> {
  for (let attempt = 1; attempt <= LOAD_TRIES_MAX; attempt++) {
    const loaded = await loadOnce(connection, project);
    if (loaded !== "overtaken") return loaded;
  }
  throw new StoreError(
    "busy",
    `Project ${project} was changed during each of ${LOAD_TRIES_MAX} attempts to load it: another controller is at work.`,
  );
}

/**
 * Reads the entities page by page. Each page comes with the project's version as of the same instant, so pages that
 * name one version belong together. Between them others have their turn: a project of ten thousand hosts takes seconds.
 */
async function loadOnce(connection: Connection, project: string): Promise<LoadedProject | null | "overtaken"> {
  const loaded: Entity[] = [];
  let version: number | null = null;
  let after: Pick<EntityRow, "kind" | "id"> = { kind: "", id: "" };
  for (;;) {
    const [[head], page] = await connection.reading(`load project ${project}`, () =>
      connection.orm.batch([selectProject(connection, project), selectPage(connection, project, after)]),
    );
    if (!head) return null;
    if (version !== null && head.version !== version) return "overtaken";
    version = head.version;
    for (const row of page) loaded.push(decodeEntity(row));
    const last = page.at(-1);
    if (!last || page.length < PAGE_ROWS) return { version, wakeAt: head.wakeAt, entities: loaded };
    after = last;
    await connection.pause();
  }
}

function selectProject(connection: Connection, project: string) {
  return connection.orm
    .select({ version: projects.version, wakeAt: projects.wakeAt })
    .from(projects)
    .where(eq(projects.project, project));
}

function selectPage(connection: Connection, project: string, after: Pick<EntityRow, "kind" | "id">) {
  return connection.orm
    .select({ kind: entities.kind, id: entities.id, schema: entities.schema, body: entities.body })
    .from(entities)
    .where(sql`${entities.project} = ${project} AND (${entities.kind}, ${entities.id}) > (${after.kind}, ${after.id})`)
    .orderBy(asc(entities.kind), asc(entities.id))
    .limit(PAGE_ROWS);
}
