import type { Client } from "@libsql/client";
import { commit } from "./commit.ts";
import { connect, type Pace, REAL_PACE } from "./connection.ts";
import { credentialsOf } from "./credentials.ts";
import { filesOf } from "./files.ts";
import { journalOf } from "./journal.ts";
import { keptOf } from "./kept.ts";
import { projectsOf } from "./projects.ts";
import type { Store } from "./types.ts";

/**
 * The store on libSQL, whichever client it is given: the embedded file's on Node or the one over HTTP on Workers. The
 * tables must be there (see `migrations/`). Closing the store closes the client.
 *
 * Only single statements and batches are used, never an interactive transaction: one held open while another call
 * writes would stop an embedded database for good.
 */
export function createStore(client: Client, pace: Pace = REAL_PACE): Store {
  const connection = connect(client, pace);
  return {
    ...projectsOf(connection),
    ...journalOf(connection),
    ...credentialsOf(connection),
    ...keptOf(connection),
    ...filesOf(connection),
    commit: (batch) => commit(connection, batch),
    close: async () => client.close(),
  };
}
