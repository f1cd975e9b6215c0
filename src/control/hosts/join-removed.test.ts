import { expect, test } from "vitest";
import { inventoryAtFirst } from "../../../test/sim/agent.ts";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { closedFleet } from "../../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import type { JoinRequest } from "../../wire/index.ts";
import { systemClock } from "../clock.ts";
import { HeadraceControl } from "../control.ts";
import { sha256Hex } from "../digest.ts";
import { createSealer } from "../seal.ts";
import type { Caller } from "../types.ts";

/** What a join asks of its database: around each of them something else can happen, or the server can die. */
const CALLS = ["credential", "redeemJoin", "load", "commit"] as const;

interface Moment {
  call: (typeof CALLS)[number];
  when: "before" | "after";
}

const MOMENTS = CALLS.flatMap((call) => (["before", "after"] as const).map((when): Moment => ({ call, when })));
const WRITES = MOMENTS.filter(({ call }) => call === "redeemJoin" || call === "commit");

const CASES = [null, ...WRITES].flatMap((dies) =>
  MOMENTS.flatMap((at) => ["another server", "the same server"].map((by) => ({ dies, at, by }))),
);

const ADMIN: Caller = { credentialId: "ada", project: "main", kind: "admin", name: "ada", subject: null };
const JOINER: Caller = { credentialId: "j1", project: "main", kind: "join", name: "line", subject: "default" };
const REQUEST: JoinRequest = {
  name: "gpu-1",
  credentialHash: "a".repeat(64),
  machine: "m1",
  agentVersion: "0.1.0",
  inventory: inventoryAtFirst({ address: "10.0.0.1", accelerators: 1, containers: false }),
};

class Died extends Error {}

async function died(): Promise<never> {
  throw new Died();
}

const nothing = () => Promise.resolve();

/** A server, and what happens at its first call of a kind. */
async function server(store: MemoryStore, at: Moment | null, happens: () => Promise<void>): Promise<HeadraceControl> {
  let happened = false;
  const stepped = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const isIt = !happened && name === at?.call;
        happened ||= isIt;
        if (isIt && at?.when === "before") await happens();
        const answer: unknown = await value.apply(target, args);
        if (isIt && at?.when === "after") await happens();
        return answer;
      };
    },
  });
  const seal = await createSealer([new Uint8Array(32).fill(7)]);
  return new HeadraceControl({ store: stepped, seal, clock: systemClock, log: () => undefined });
}

async function database(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.createProject("main", 0, [NEW_PROJECT, closedFleet("default")]);
  const { credentialId: id, kind, name, subject } = JOINER;
  const times = { createdAt: 0, expiresAt: null, usedAt: null, madeBy: null };
  await store.putCredential({ id, project: "main", kind, name, hash: "hash of j1", subject, ...times });
  return store;
}

test.each(CASES)(
  "a join that dies $dies is repeated, and its host removed $at by $by: it has its credential, or is gone",
  async (which) => {
    const store = await database();
    const host = `gpu-1-${(await sha256Hex("host\nj1")).slice(0, 8)}`;
    const first = await server(store, which.dies, died);
    await first.join(JOINER, REQUEST).catch((error) => expect(error).toBeInstanceOf(Died));

    let removed = false;
    let removal: Promise<void> = Promise.resolve();
    const remove = async () => {
      const control = which.by === "the same server" ? again : await server(store, null, nothing);
      removal = control.removeHost(ADMIN, host, false, "key-1").then(
        () => {
          removed = true;
        },
        (error) => expect(error).toMatchObject({ code: "not_found" }),
      );
      // What comes to a server while it reads or writes is decided after that.
      if (which.by === "another server" || !["load", "commit"].includes(which.at.call)) await removal;
    };
    const again = await server(store, which.at, remove);
    const joined = await again.join({ ...JOINER, used: true }, REQUEST).catch((error: unknown) => error);
    await removal;

    if (!removed) expect(joined).toMatchObject({ project: "main", fleet: "default" });
    else if (joined instanceof Error)
      expect(joined).toMatchObject({ code: expect.stringMatching(/^(conflict|forbidden)$/) });
    const hosts = (await store.load("main"))?.entities.flatMap((each) => (each.kind === "host" ? [each.id] : []));
    const owners = (await store.credentials("main")).flatMap(({ kind, subject }) => (kind === "host" ? [subject] : []));
    expect(owners).toEqual(hosts);
    expect(hosts).toEqual(removed ? [] : [host]);
  },
);
