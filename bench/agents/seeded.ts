import { NO_CORDONS } from "../../src/core/hosts/cordons.ts";
import type { HostEntity } from "../../src/core/state.ts";
import type { Store } from "../../src/store/types.ts";
import { seedToken } from "../../test/support/seed-token.ts";
import type { JoinedHost } from "./orders.ts";
import { inventoryOf } from "./simulated-agent.ts";

/** A host as its join leaves it. */
export function hostOf(serial: number): HostEntity {
  const id = `host-${serial}`;
  const fixed = { kind: "host", id, name: id, fleet: "default", machine: id } as const;
  return {
    ...fixed,
    inventory: inventoryOf(serial),
    silentSince: null,
    joinedAt: 0,
    offeredContainers: false,
    cordons: NO_CORDONS,
    update: null,
  };
}

/** Stores the credentials of hosts `hostOf(0)`, `hostOf(1)`, ..., as their joins would. */
export async function putHostCredentials(store: Store, project: string, count: number): Promise<JoinedHost[]> {
  const hosts: JoinedHost[] = [];
  for (let serial = 0; serial < count; serial += 1) {
    const { id } = hostOf(serial);
    hosts.push({ host: id, credential: await seedToken(store, project, "host", { id, subject: id }), serial });
  }
  return hosts;
}
