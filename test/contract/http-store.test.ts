import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { remoteClient } from "../../src/store/remote.ts";
import { type StoreUnderTest, storeContract } from "./store.ts";

/** The store as Workers use it: a libSQL server that is reached over HTTP, whose connections end when they must not. */
storeContract("libSQL over HTTP", async (): Promise<StoreUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-http-store-"));
  const server = await LibsqlServer.start(join(folder, "server.db"));
  (await migrateRemote(server.url, null)).close();
  return {
    open: async () => createStore(remoteClient(server.url, null)),
    openLossy: async (losses) => {
      server.failWrites(...losses.map((loss) => (loss === "request" ? "lost" : "unanswered")));
      return createStore(remoteClient(server.url, null));
    },
    dispose: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
});
