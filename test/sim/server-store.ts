import { StoreError } from "../../src/store/errors.ts";
import { type CommitBatch, type Store, UnclearOutcome } from "../../src/store/types.ts";
import type { Server } from "./server.ts";

/** One way to the database and back. */
const WAY_MS = { min: 0, max: 3 };

/** What befalls one call to the database. */
export type StoreFate =
  | "well"
  /** Another holds the lock: nothing was done. */
  | "busy"
  /** It does not arrive. */
  | "request lost"
  /** It is done, and nobody is told. */
  | "answer lost"
  /** The caller's process ends before it is done. */
  | "crash before"
  /** The caller's process ends when it is done and before it hears of it. */
  | "crash after";

const WRITES = ["createProject", "commit", "trimJournal", "trimIdempotency", "putCredential", "redeemJoin"];

/**
 * The database as one server process reaches it: over a way that takes time and may fail. What a process that has ended
 * had sent may still be done, but nobody hears of it.
 */
export function serverStore(server: Server): Store {
  const { world } = server;
  return new Proxy<Store>(world.store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      const isWrite = WRITES.includes(String(name));
      return (...args: unknown[]) =>
        new Promise((resolve, reject) =>
          call(server, isWrite, () => perform(server, String(name), method, args), resolve, reject),
        );
    },
  });
}

function call(
  server: Server,
  isWrite: boolean,
  run: () => Promise<unknown>,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  const { timeline, random, faults } = server.world;
  const way = () => random.int(WAY_MS.min, WAY_MS.max) + faults.storeSlowMs();
  const fate = server.isAlive ? faults.storeFate(isWrite) : "well";
  const answer = (settle: () => void) =>
    timeline.after(way(), () => {
      if (!server.isAlive) return;
      timeline.awaits();
      settle();
    });
  timeline.after(way(), () => {
    if (fate === "crash before") return server.crash();
    if (fate === "busy") {
      return void answer(() => reject(new StoreError("busy", "Another process kept the database locked.")));
    }
    if (fate === "request lost") return void answer(() => reject(lost(isWrite)));
    timeline.awaits();
    void run().then(
      (value) => {
        if (fate === "crash after") return server.crash();
        answer(() => (fate === "answer lost" ? reject(lost(isWrite)) : resolve(value)));
      },
      (error) => void answer(() => reject(fate === "answer lost" ? lost(isWrite) : error)),
    );
  });
}

function lost(isWrite: boolean): Error {
  return isWrite
    ? new UnclearOutcome("It is not known whether this was done.")
    : new StoreError("unavailable", "The database was not reached.");
}

// biome-ignore lint/complexity/noBannedTypes: a method of the store, called with what its caller gave
async function perform(server: Server, name: string, method: Function, args: unknown[]): Promise<unknown> {
  const { world } = server;
  const outcome = await method.apply(world.store, args);
  if (name === "commit" && outcome.kind === "committed") world.committed(server, args[0] as CommitBatch);
  if (name === "commit" && outcome.kind === "conflict") world.coverage.saw("commit", "conflict");
  return outcome;
}
