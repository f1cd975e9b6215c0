import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * The tables. Instants are milliseconds since 1970, JSON is text. Migrations are made from this file by
 * `npx drizzle-kit generate` and live in `migrations/`.
 *
 * Every table but the list of projects starts its key with the project, so that no read of one can meet rows of
 * another, and so that a project can be moved to a database of its own.
 */

/** `version` is that of the newest row in `commits`; `wakeAt` the next moment at which time alone changes anything. */
export const projects = sqliteTable("projects", {
  project: text("project").primaryKey(),
  version: integer("version").notNull(),
  wakeAt: integer("wake_at"),
  createdAt: integer("created_at").notNull(),
});

/** The journal. Its primary key is the lock: of two batches that would make the same version, one fails as a whole. */
export const commits = sqliteTable(
  "commits",
  {
    project: text("project")
      .notNull()
      .references(() => projects.project),
    version: integer("version").notNull(),
    commitId: text("commit_id").notNull(),
    at: integer("at").notNull(),
    cause: text("cause").notNull(),
    actor: text("actor").notNull(),
    /** JSON: ids of the inputs consumed. */
    inputs: text("inputs").notNull(),
    /** JSON: what happened. */
    events: text("events").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.version] })],
);

/** What the state machine owns. `body` is JSON in the shape that `schema` numbers; only the codec reads it. */
export const entities = sqliteTable(
  "entities",
  {
    project: text("project").notNull(),
    kind: text("kind").notNull(),
    id: text("id").notNull(),
    schema: integer("schema").notNull(),
    body: text("body").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.kind, table.id] })],
);

/** Bearer tokens by their hash. The hash is looked up before the project is known, so it is unique in all projects. */
export const credentials = sqliteTable(
  "credentials",
  {
    project: text("project")
      .notNull()
      .references(() => projects.project),
    id: text("id").notNull(),
    kind: text("kind", { enum: ["admin", "member", "join", "host"] }).notNull(),
    name: text("name").notNull(),
    hash: text("hash").notNull(),
    subject: text("subject"),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    usedAt: integer("used_at"),
    /** Join tokens: the hash of the host's credential that was made with it. */
    usedFor: text("used_for"),
    madeBy: text("made_by"),
  },
  (table) => [primaryKey({ columns: [table.project, table.id] }), uniqueIndex("credentials_hash").on(table.hash)],
);

/** Values sealed with a key that is not in the database. */
export const secrets = sqliteTable(
  "secrets",
  {
    project: text("project").notNull(),
    name: text("name").notNull(),
    version: text("version").notNull(),
    keyId: text("key_id").notNull(),
    sealed: text("sealed").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.name] })],
);

/**
 * What users send along with a service: tar archives by their SHA-256 in hex. `usedAt` is when an apply named it last: it
 * changes with each, so the bodies are in a table of their own and written once.
 */
export const files = sqliteTable(
  "files",
  {
    project: text("project")
      .notNull()
      .references(() => projects.project),
    sha256: text("sha256").notNull(),
    bytes: integer("bytes").notNull(),
    usedAt: integer("used_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.sha256] })],
);

/** A row for each of `files`. */
export const fileBodies = sqliteTable(
  "file_bodies",
  {
    project: text("project")
      .notNull()
      .references(() => projects.project),
    sha256: text("sha256").notNull(),
    body: blob("body", { mode: "buffer" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.sha256] })],
);

/** Answers kept for requests that are sent again. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    project: text("project").notNull(),
    key: text("key").notNull(),
    requestHash: text("request_hash").notNull(),
    answer: text("answer").notNull(),
    at: integer("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project, table.key] }), index("idempotency_keys_at").on(table.at)],
);
