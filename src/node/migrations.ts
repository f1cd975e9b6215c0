import { fileURLToPath } from "node:url";
import type { Client } from "@libsql/client";
import { migrate } from "drizzle-orm/libsql/migrator";
import { drizzle } from "drizzle-orm/libsql/web";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { patiently, REAL_PACE } from "../store/connection.ts";
import { StartError } from "./start-error.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));
/** The table in which drizzle notes what it has applied. */
const APPLIED = "__drizzle_migrations";

/** A database as its operator knows it. */
export interface Place {
  /** A file, or an address. */
  name: string;
  /** What to do where it belongs to another program, e.g. "Give another folder with --data-dir." */
  otherwise: string;
}

/**
 * Brings the tables up to date: those of an empty database are made, those of an older Headrace changed. All of it is
 * applied or nothing is. Several processes may do so at once.
 *
 * @throws StartError when the database is another program's, or was written by a newer Headrace
 */
export async function applyMigrations(client: Client, place: Place): Promise<void> {
  const known = newestMigration();
  await patiently(client, REAL_PACE, "bring the tables up to date", async () => {
    if ((await appliedMigration(client, place)) === known) return;
    try {
      await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
    } catch (error) {
      // Another process that starts at the same time may have been faster, or only the answer was lost.
      if ((await appliedMigration(client, place)) !== known) throw error;
    }
  });
}

/** Migrations are told apart by the instant of their making, in milliseconds, as drizzle does. */
function newestMigration(): number {
  return Math.max(...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map((each) => each.folderMillis));
}

/** The newest migration that a database has; null for an empty one. */
async function appliedMigration(client: Client, { name, otherwise }: Place): Promise<number | null> {
  const tables = await client.execute("SELECT name FROM sqlite_master WHERE type = 'table'");
  const names = tables.rows.map((row) => row.name);
  if (!names.includes(APPLIED)) {
    if (names.length === 0) return null;
    throw new StartError(`${name} is a database of another program (it has a table "${names[0]}"). ${otherwise}`);
  }
  const result = await client.execute(`SELECT max(created_at) AS newest FROM ${APPLIED}`);
  const newest = result.rows[0]?.newest;
  if (newest === null || newest === undefined) return null;
  if (Number(newest) > newestMigration()) {
    throw new StartError(
      `${name} was written by a newer Headrace (its tables are of ${new Date(Number(newest)).toISOString()}). ` +
        "Start that version or a later one, or restore a copy made before the upgrade.",
    );
  }
  return Number(newest);
}
