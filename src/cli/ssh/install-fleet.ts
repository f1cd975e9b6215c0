import type { SshHost } from "../../spec/types-fleet.ts";
import { HostFailure, type HostInstallation, installHost } from "./install-host.ts";

/** Hosts that are worked on at a time: each is one process of ssh here, or two, and a download from the server. */
export const HOSTS_AT_A_TIME = 8;

export interface FleetOutcome {
  /** By the hosts' names in the file: their ids. */
  installed: Map<string, { id: string; changed: boolean }>;
  /** By the same names: what is wrong. */
  failed: Map<string, string>;
}

/**
 * Sees to an agent on every host, several at a time. What fails on one does not keep the others.
 * @param say told of each step of each host as it is taken
 * @throws what is no matter of one host: the server's errors, an interruption
 */
export async function installFleet(
  hosts: readonly SshHost[],
  with_: HostInstallation,
  say: (hostname: string, what: string) => void,
): Promise<FleetOutcome> {
  const outcome: FleetOutcome = { installed: new Map(), failed: new Map() };
  const waiting = [...hosts];
  const stop = new AbortController();
  const each = { ...with_, signal: AbortSignal.any([with_.signal, stop.signal]) };
  const work = async () => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const { hostname } = host;
      try {
        const done = await installHost(host, each, (what) => say(hostname, `${what} ...`));
        outcome.installed.set(hostname, done);
        say(hostname, done.changed ? `installed, it is ${done.id}` : `is up to date, it is ${done.id}`);
      } catch (error) {
        if (!(error instanceof HostFailure)) {
          stop.abort(error);
          throw error;
        }
        outcome.failed.set(hostname, error.message);
        say(hostname, `failed: ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: HOSTS_AT_A_TIME }, work));
  return outcome;
}
