import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Uplink } from "../../agents/host/uplink.ts";
import { createClient } from "../../src/api/client.ts";
import { NO_CORDONS } from "../../src/core/hosts/cordons.ts";
import type { Entity } from "../../src/core/state.ts";
import { openDatabase } from "../../src/node/database.ts";
import { FIRST_ENTITIES, FIRST_PROJECT } from "../../src/node/first-start.ts";
import { LINKS_OPENING_MAX } from "../../src/node/limits.ts";
import { type RunningServer, startServer } from "../../src/node.ts";
import { createStore } from "../../src/store/libsql.ts";
import type { Store } from "../../src/store/types.ts";
import { until } from "../support/processes.ts";
import { INVENTORY, reportOf } from "../support/reports.ts";
import { seedToken } from "../support/seed-token.ts";

/** Several times as many as are let in at a time, and as many links as a slow machine opens in a moment. */
const HOSTS = 300;

let folder: string;
let server: RunningServer;
let admin: string;
let credentials: string[];
const uplinks: Uplink[] = [];

/** Look-ups of hosts' credentials that are under way, held until the gate is opened. */
const gate = { underWay: 0, most: 0, isOpen: false, waiting: [] as (() => void)[] };

function openGate(): void {
  gate.isOpen = true;
  for (const go of gate.waiting.splice(0)) go();
}

/** A database that takes its time with the credentials of hosts, and with nothing else. */
function gated(store: Store): Store {
  return {
    ...store,
    async credential(hash) {
      const found = await store.credential(hash);
      if (found?.kind !== "host") return found;
      gate.underWay += 1;
      gate.most = Math.max(gate.most, gate.underWay);
      if (!gate.isOpen) await new Promise<void>((go) => gate.waiting.push(go));
      gate.underWay -= 1;
      return found;
    },
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-storm-"));
  const dataDir = join(folder, "data");
  const store = createStore(await openDatabase(dataDir));
  const ids = Array.from({ length: HOSTS }, (_, i) => `host-${i}`);
  const hosts = ids.map(
    (id): Entity => ({
      kind: "host",
      id,
      name: id,
      fleet: "default",
      machine: id,
      inventory: INVENTORY,
      silentSince: null,
      joinedAt: 0,
      offeredContainers: false,
      cordons: NO_CORDONS,
      update: null,
    }),
  );
  await store.createProject(FIRST_PROJECT, Date.now(), [...FIRST_ENTITIES, ...hosts]);
  admin = await seedToken(store, FIRST_PROJECT, "admin");
  credentials = [];
  for (const id of ids) credentials.push(await seedToken(store, FIRST_PROJECT, "host", { id, subject: id }));
  await store.close();
  const flags = { dataDir, keyFile: join(folder, "key"), host: "127.0.0.1", port: 0 };
  server = await startServer(flags, () => {}, gated);
});
afterEach(async () => {
  openGate();
  await Promise.all(uplinks.splice(0).map((uplink) => uplink.close()));
  await server.close();
  await rm(folder, { recursive: true });
});

/** A host's agent as far as its link goes: it syncs once over each that it opens. */
function dial(id: string, credential: string, told: { asked: Set<string>; back: Set<string>; gaveUp: Set<string> }) {
  const report = new TextEncoder().encode(
    JSON.stringify(reportOf({ agent: { version: "0", bootId: "b", machine: id, incarnation: id } })),
  );
  const uplink = new Uplink({
    server: server.url,
    credential,
    handler: async () => ({ head: { status: 204, headers: [] }, body: null }),
    opened: (link) => {
      void link.request({ kind: "sync" }, report).then(
        ({ head }) => head.status === 200 && told.back.add(id),
        () => {},
      );
    },
    failed: () => told.gaveUp.add(id),
    isHeard: () => false,
    log: (_level, message) => {
      if (message.includes("said when to come back")) told.asked.add(id);
    },
  });
  uplinks.push(uplink);
  uplink.start();
}

test("of hosts that all dial at once a few are let in at a time, the others come when they are told, and nobody else waits", async () => {
  const told = { asked: new Set<string>(), back: new Set<string>(), gaveUp: new Set<string>() };
  for (const [i, credential] of credentials.entries()) dial(`host-${i}`, credential, told);
  await until(
    () => told.asked.size >= HOSTS - LINKS_OPENING_MAX,
    () => `${told.asked.size} were told to come back`,
  );
  // All places are taken and none is given back: who needs none is answered all the same.
  expect(gate.underWay).toBe(LINKS_OPENING_MAX);
  const client = createClient({ server: server.url, token: admin, project: FIRST_PROJECT });
  expect((await client.hosts()).filter(({ online }) => online)).toEqual([]);

  openGate();
  await until(
    () => told.back.size === HOSTS,
    () => `${told.back.size} are back`,
  );
  expect((await client.hosts()).filter(({ online }) => online)).toHaveLength(HOSTS);
  expect(gate.most).toBe(LINKS_OPENING_MAX);
  // That the server has no room now does not mean that the network lets no link through.
  expect([...told.gaveUp]).toEqual([]);
});
