import { constants } from "node:fs";
import { access, chmod, mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Client, createClient } from "@libsql/client";
import { patiently, REAL_PACE } from "../store/connection.ts";
import { StoreError } from "../store/errors.ts";
import { applyMigrations } from "./migrations.ts";
import { StartError } from "./start-error.ts";

const FILE_NAME = "headrace.db";

/**
 * How long SQLite itself waits for a lock that another process holds. It blocks this process meanwhile, so it is a few
 * times what a batch takes and no more; the store tries again after it.
 */
const LOCK_WAIT_MS = 25;

/**
 * Opens the embedded database in `folder`, which is made when it is not there, and brings its tables up to date.
 *
 * One connection, because two in one process would wait for each other's locks; write-ahead log, because it halves the
 * syncs of a commit; a sync at every commit, so that what was acknowledged survives a power cut. The last two and the
 * check of references are also what a connection has that is opened later in place of this one.
 *
 * @returns a client for `createStore`, which closes it
 * @throws StartError when the folder or the file cannot be used, with what to do instead
 */
export async function openDatabase(folder: string): Promise<Client> {
  const file = databaseFile(folder);
  await prepareFolder(folder);
  await prepareFile(file);
  let client: Client | undefined;
  try {
    client = createClient({ url: pathToFileURL(file).href, concurrency: 1, timeout: LOCK_WAIT_MS });
    await prepareTables(client, file);
    return client;
  } catch (error) {
    client?.close();
    throw explained(error, file);
  }
}

/** Where in a data folder the embedded database is. */
export function databaseFile(folder: string): string {
  return join(folder, FILE_NAME);
}

/** A folder that was there keeps its mode; the file's own is what protects the contents. */
async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // SQLite makes its log beside the file, so the folder itself must be writable.
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data folder ${folder} cannot be used (${reason(error)}). ` +
        "Give a folder that this user may write with --data-dir or HEADRACE_DATA_DIR.",
      { cause: error },
    );
  }
}

/** Makes the file before SQLite does, with a mode of our own; SQLite gives the same one to its log. */
async function prepareFile(file: string): Promise<void> {
  try {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
    await handle.close();
    if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600);
  } catch (error) {
    throw new StartError(
      `The database ${file} cannot be used (${reason(error)}). ` +
        "Make it a file that this user owns, or give another folder with --data-dir or HEADRACE_DATA_DIR.",
      { cause: error },
    );
  }
}

async function prepareTables(client: Client, file: string): Promise<void> {
  await patiently(client, REAL_PACE, "open the database", async () => {
    for (const pragma of ["journal_mode = wal", "synchronous = full", "foreign_keys = on"]) {
      await client.execute(`PRAGMA ${pragma}`);
    }
  });
  const otherwise = "Give another folder with --data-dir or HEADRACE_DATA_DIR.";
  await applyMigrations(client, { name: file, otherwise });
}

function explained(error: unknown, file: string): unknown {
  if (error instanceof StartError) return error;
  const cause = error instanceof StoreError ? error.cause : error;
  if (cause instanceof Error && "code" in cause && cause.code === "SQLITE_NOTADB") {
    return new StartError(
      `${file} is not a database. Move it away, or give another folder with --data-dir or HEADRACE_DATA_DIR.`,
      { cause },
    );
  }
  return new StartError(`The database ${file} cannot be opened: ${reason(error)}.`, { cause: error });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
