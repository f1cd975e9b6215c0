import { LOST_AFTER_MS } from "../../../src/core/limits.ts";
import type { HostEntity } from "../../../src/core/state.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";
import type { Server } from "../server.ts";
import { SERVER_CLOCK_OFFSET_MS_MAX } from "../world.ts";

/** As in src/control/hosts/presence.ts: a host that was last heard of this long ago is silent. */
const SILENT_AFTER_MS = 10_000;

/**
 * What a host sent in time decides, however late it is read: while its report waits at the server it is not decided that
 * it is silent, nor is anything of it given up.
 */
export function readBeforeDecided({ reading }: Server, ledger: Ledger, batch: CommitBatch): string | null {
  const { host: hosts, job: jobs } = ledger.state.tables;
  const waits = ({ machine, silentSince }: HostEntity, withinMs: number): boolean => {
    const since = reading.unansweredSince(ledger.project, machine);
    if (since === null || silentSince === null) return false;
    return since < silentSince + withinMs - SERVER_CLOCK_OFFSET_MS_MAX;
  };
  for (const { type, host: id, replica } of batch.events) {
    if (type === "host.silent" && id) {
      const host = hosts.byId.get(id);
      if (host && waits(host, SILENT_AFTER_MS)) return `${id} is held to be silent, and its report waits to be read`;
    }
    if (type !== "replica.lost" || !replica) continue;
    for (const job of jobs.ids("replica", replica)) {
      const host = hosts.byId.get(jobs.byId.get(job)!.host);
      if (host && waits(host, LOST_AFTER_MS)) return `${replica} is given up, and its host's report waits to be read`;
    }
  }
  return null;
}
