import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { LibsqlServer } from "../../scripts/libsql-server/server.ts";
import { migrateRemote } from "../../src/node/remote-database.ts";
import { StoreOnWorkerd } from "../support/edge/store-on-workerd.ts";
import { type StoreUnderTest, storeContract } from "./store.ts";

let workerd: StoreOnWorkerd;
beforeAll(async () => {
  workerd = await StoreOnWorkerd.start();
});
afterAll(() => workerd?.stop());

/** The store over HTTP in the runtime that it is for, whose fetch and whose errors are others than Node's. */
storeContract("libSQL over HTTP, on workerd", async (): Promise<StoreUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-workerd-store-"));
  const server = await LibsqlServer.start(join(folder, "server.db"));
  (await migrateRemote(server.url, null)).close();
  return {
    open: async () => workerd.of(server.url),
    openLossy: async (losses) => {
      server.failWrites(...losses.map((loss) => (loss === "request" ? "lost" : "unanswered")));
      return workerd.of(server.url);
    },
    dispose: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
});
