import { createStore } from "../../../src/store/libsql.ts";
import { remoteClient } from "../../../src/store/remote.ts";
import type { Store } from "../../../src/store/types.ts";
import { decode, encode, type StoreAnswer, type StoreCall } from "./store-calls.ts";

// The store as it is on workerd, called from outside: a call is a request, and has a client of its own as on the edge.

export { LinkObject, ProjectObject } from "../../../src/worker.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { database, method, args } = decode<StoreCall>(await request.text());
    const store: Store = createStore(remoteClient(database, null));
    const call = store[method] as (...args: unknown[]) => Promise<unknown>;
    return new Response(encode(await outcome(call(...args))));
  },
};

async function outcome(work: Promise<unknown>): Promise<StoreAnswer> {
  try {
    return { value: (await work) ?? null };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { error: { name, message, code: code ?? null } };
  }
}
