import type { CommitBatch, CommitOutcome, Credential, Store } from "../../src/store/types.ts";
import { UnclearOutcome } from "../../src/store/types.ts";
import { type Loss, type StoreUnderTest, storeContract } from "../contract/store.ts";
import { MemoryStore } from "./memory-store.ts";

storeContract("in memory, as the simulation uses it", async (): Promise<StoreUnderTest> => {
  const database = new MemoryStore();
  return {
    open: async () => database,
    openLossy: async (losses) => lossy(database, losses),
    dispose: async () => undefined,
  };
});

/** The store, but for writes that are lost before they arrive or whose answer is. */
function lossy(database: MemoryStore, losses: Loss[]): Store {
  async function losing<T>(write: () => Promise<T>): Promise<T> {
    const loss = losses.shift();
    if (loss === "request") throw new UnclearOutcome("the request was lost");
    const answer = write();
    if (loss !== "answer") return answer;
    await answer.catch(() => undefined);
    throw new UnclearOutcome("the answer was lost");
  }
  return new Proxy<Store>(database, {
    get(target, name) {
      if (name === "commit") return (batch: CommitBatch): Promise<CommitOutcome> => losing(() => target.commit(batch));
      if (name === "redeemJoin") {
        return (id: string, at: number, host: Credential) => losing(() => target.redeemJoin(id, at, host));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
