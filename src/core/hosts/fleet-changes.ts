import type { FleetAllowance, SshHost } from "../../spec/types-fleet.ts";
import type { FleetEntity } from "../state.ts";

/** One thing that a file changes of a fleet; short texts for people. */
export interface FleetChange {
  /** As it is written, e.g. `allow.privileged`, `ssh_config.hosts`. */
  path: string;
  from: string;
  to: string;
}

type Described = Pick<FleetEntity, "settings" | "hosts">;

/** What a file changes of a fleet, in the order in which it is written. */
export function fleetChanges(before: Described, after: Described): FleetChange[] {
  const [old, now] = [textsOf(before), textsOf(after)];
  const paths = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return paths.flatMap((path) => {
    const [from, to] = [old[path], now[path]];
    if (from?.whole === to?.whole) return [];
    return [{ path, from: from?.short ?? "none", to: to?.short ?? "none" }];
  });
}

export function describeFleetChange({ path, from, to }: FleetChange): string {
  return `${path} ${from} -> ${to}`;
}

/** What is compared, and what is shown of it. */
interface Text {
  whole: string;
  short: string;
}

function textsOf({ settings, hosts }: Described): Record<string, Text> {
  const { placement, blocks, overcommit, allow, agentVersion } = settings;
  return {
    placement: plain(placement),
    blocks: plain(String(blocks)),
    overcommit: plain(String(overcommit)),
    "allow.privileged": plain(String(allow.privileged)),
    "allow.host_paths": plain(describePaths(allow)),
    "allow.processes": plain(String(allow.processes)),
    "agent.version": plain(agentVersion),
    ...(hosts.kind === "ssh"
      ? {
          "ssh_config.network": plain(hosts.network ?? "none"),
          ...Object.fromEntries(hosts.hosts.map((host) => [`ssh_config.hosts.${host.hostname}`, hostText(host)])),
          // Values may be secrets.
          env: { whole: JSON.stringify(hosts.env), short: `${Object.keys(hosts.env).length} variables` },
        }
      : {}),
  };
}

function plain(text: string): Text {
  return { whole: text, short: text };
}

function describePaths({ hostPaths }: FleetAllowance): string {
  if (hostPaths.includes("/")) return "any";
  return hostPaths.length === 0 ? "none" : hostPaths.join(" ");
}

function hostText(host: SshHost): Text {
  const { user, port, proxyJump, internalIp, blocks } = host;
  const parts = [`${user}${port === null ? "" : `, port ${port}`}`];
  if (proxyJump) parts.push(`through ${proxyJump.hostname}`);
  if (internalIp) parts.push(`at ${internalIp}`);
  if (blocks !== null) parts.push(`blocks ${blocks}`);
  return { whole: JSON.stringify(host), short: parts.join(", ") };
}
