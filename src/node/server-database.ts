import type { Client } from "@libsql/client";
import { openDatabase } from "./database.ts";
import { migrateRemote } from "./remote-database.ts";
import type { ServerSettings } from "./settings.ts";

/**
 * The server's database with its tables up to date: the one on a libSQL server where the settings name one, else the
 * embedded one in the data folder.
 *
 * @throws StartError when it cannot be used, with what to do instead
 */
export function openServerDatabase({ dataDir, remote }: Pick<ServerSettings, "dataDir" | "remote">): Promise<Client> {
  return remote ? migrateRemote(remote.url, remote.token) : openDatabase(dataDir);
}
