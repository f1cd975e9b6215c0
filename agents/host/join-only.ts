import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { readCredential } from "./credential.ts";
import { defaultDataDir } from "./data-dir.ts";
import { findAddress } from "./inventory/address.ts";
import type { Declaration } from "./inventory/declare.ts";
import { collectInventory } from "./inventory/inventory.ts";
import { type LookOptions, lookAt } from "./inventory/look.ts";
import { readMachineId } from "./inventory/machine.ts";
import { ensureJoined } from "./join.ts";
import { lockDataDir } from "./lock.ts";

interface JoinOnlyOptions extends LookOptions {
  /** As in `AgentOptions`, for the agent that is started later. */
  server: string;
  joinToken: string | null;
  name: string | null;
  address: string | null;
  dataDir: string | null;
  declared: Declaration;
  /** The fleet that the host is meant for; null = the token's. */
  fleet: string | null;
}

/**
 * Joins where this host has not yet, and runs nothing: an installation does this before it changes the host, so that a
 * token which is not accepted leaves nothing behind. Beside a running agent it only compares.
 * @throws JoinRefused when that is final; Error for people when it can be tried again
 */
export async function joinOnly(options: JoinOnlyOptions): Promise<{ host: string; fleet: string; joined: boolean }> {
  const dataDir = resolve(options.dataDir ?? defaultDataDir());
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  // Its agent may run, and holds the lock.
  const unlock = (await readCredential(dataDir)) === null ? await lockDataDir(dataDir) : null;
  try {
    const address = options.address ?? findAddress();
    const look = lookAt(options, null, () => undefined);
    const { host, joined } = await ensureJoined({
      server: options.server,
      dataDir,
      token: options.joinToken,
      fleet: options.fleet,
      request: async () => ({
        name: options.name ?? hostname(),
        machine: readMachineId(dataDir),
        agentVersion: manifest.version,
        inventory: await collectInventory({
          dataDir,
          address,
          declared: options.declared,
          ...look,
          runtimes: ["process"],
          warnings: [],
          disks: [],
          modelCache: null,
        }),
      }),
    });
    return { host: host.host, fleet: host.fleet, joined };
  } finally {
    await unlock?.();
  }
}
