import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@libsql/client";
import { openDatabase } from "../../src/node/database.ts";
import { createStore } from "../../src/store/libsql.ts";
import { type Loss, type StoreUnderTest, storeContract } from "./store.ts";

storeContract("libSQL, embedded file", async (): Promise<StoreUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-store-"));
  return {
    open: async () => createStore(await openDatabase(folder)),
    openLossy: async (losses) => createStore(lossy(await openDatabase(folder), losses)),
    dispose: () => rm(folder, { recursive: true }),
  };
});

/** The client, but for write batches that are lost as a network loses them: before they arrive, or after. */
function lossy(client: Client, losses: Loss[]): Client {
  const batch: Client["batch"] = async (statements, mode) => {
    const loss = mode === "write" ? losses.shift() : undefined;
    if (loss === "request") throw new TypeError("fetch failed");
    const answer = client.batch(statements, mode);
    if (loss !== "answer") return answer;
    // A refusal is an answer too, and is lost like any other.
    await answer.catch(() => undefined);
    throw new TypeError("fetch failed");
  };
  return new Proxy(client, {
    get(target, name) {
      if (name === "batch") return batch;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
