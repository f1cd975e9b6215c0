import type { Client } from "@libsql/client";
import { text } from "../store/connection.ts";
import { StoreError } from "../store/errors.ts";
import { remoteClient } from "../store/remote.ts";
import { applyMigrations } from "./migrations.ts";
import { StartError } from "./start-error.ts";

/** Addresses of libSQL servers that are spoken to over HTTP. */
const SCHEMES = ["libsql:", "https:", "http:"];

/**
 * Opens a database on a libSQL server and brings its tables up to date. Before a Worker that needs newer tables is
 * deployed, this is what makes them.
 *
 * @param authToken null where the server wants none
 * @returns a client for `createStore`, which closes it
 * @throws StartError when it cannot be reached, refuses the token or is not ours, with what to do instead
 */
export async function migrateRemote(url: string, authToken: string | null): Promise<Client> {
  databaseAddress(url);
  const name = url;
  const client = remoteClient(url, authToken);
  try {
    await applyMigrations(client, { name, otherwise: "Give another database with HEADRACE_DATABASE_URL." });
    return client;
  } catch (error) {
    client.close();
    throw explained(error, name);
  }
}

/**
 * Reads a database's address. It is seen by other users of the machine and stands in logs, so a token in it is refused
 * and not repeated.
 *
 * @throws StartError
 */
export function databaseAddress(text: string): URL {
  const url = URL.parse(text);
  if (!url || !SCHEMES.includes(url.protocol) || url.host === "") {
    throw new StartError("The database's address must be like libsql://name.example.com (or https://, http://).");
  }
  if (url.username !== "" || url.password !== "" || url.searchParams.has("authToken")) {
    throw new StartError("The database's address holds a token. Give the token in HEADRACE_DATABASE_TOKEN instead.");
  }
  return url;
}

function explained(error: unknown, name: string): unknown {
  if (error instanceof StartError) return error;
  const cause = error instanceof StoreError ? error.cause : error;
  const status = statusOf(cause);
  if (status === 401 || status === 403) {
    const message = `The database ${name} does not accept the token (${status}). Give one that may write in HEADRACE_DATABASE_TOKEN.`;
    return new StartError(message, { cause });
  }
  return new StartError(
    `The database ${name} cannot be used: ${text(cause)}. Is the address right, and does the server run?`,
    { cause },
  );
}

/** The status that the server answered with, when it did not answer as a database. */
function statusOf(error: unknown): number | null {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ("status" in each && typeof each.status === "number") return each.status;
  }
  return null;
}
