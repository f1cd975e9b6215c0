import type { CloudHosts, FleetAllowance, FleetSpec, SshHost, SshHosts, SshLogin } from "../types-fleet.ts";
import { type Fields, writeEnv } from "./group.ts";
import { writeOffers } from "./profile.ts";
import { writeResources } from "./resources.ts";
import { unless, writeOffable, writeRange } from "./scalars.ts";
import type { Written } from "./yaml.ts";

/** Three days, in seconds: how long an unused host of a fleet stays unless something else is written. */
const DEFAULT_IDLE_S = 3 * 24 * 3600;

export function writeFleet({
  type,
  name,
  placement,
  blocks,
  overcommit,
  allow,
  agentVersion,
  hosts,
}: FleetSpec): Fields {
  return {
    type,
    name,
    placement: unless("any", placement),
    blocks: unless("auto", blocks),
    overcommit: unless(true, overcommit),
    allow: writeAllow(allow),
    agent: agentVersion === "server" ? undefined : { version: agentVersion },
    ...writeHosts(hosts),
  };
}

function writeAllow({ privileged, hostPaths, processes }: FleetAllowance): Fields | undefined {
  if (!privileged && hostPaths.length === 0 && processes) return undefined;
  return {
    privileged: unless(false, privileged),
    host_paths: hostPaths.length === 0 ? undefined : hostPaths,
    processes: unless(true, processes),
  };
}

function writeHosts(hosts: FleetSpec["hosts"]): Fields {
  if (hosts.kind === "joined") return {};
  return hosts.kind === "cloud" ? writeCloud(hosts) : writeSsh(hosts);
}

function writeCloud(hosts: CloudHosts): Fields {
  const { min, target, max } = hosts.nodes;
  return {
    nodes: target === min ? writeRange({ min, max }) : { min, target, max: max ?? undefined },
    resources: writeResources(hosts.resources),
    ...writeOffers(hosts),
    spot_policy: unless("on-demand", hosts.spotPolicy),
    reservation: hosts.reservation ?? undefined,
    idle_duration: hosts.idleDurationS === DEFAULT_IDLE_S ? undefined : writeOffable(hosts.idleDurationS),
  };
}

function writeSsh({ env, network, hosts }: SshHosts): Fields {
  return { ssh_config: { network: network ?? undefined, hosts: hosts.map(writeHost) }, env: writeEnv(env) };
}

function writeHost(host: SshHost): Written {
  return {
    ...writeLogin(host),
    proxy_jump: host.proxyJump === null ? undefined : writeLogin(host.proxyJump),
    internal_ip: host.internalIp ?? undefined,
    blocks: host.blocks ?? undefined,
  };
}

function writeLogin({ hostname, port, user, identityFile }: SshLogin): Fields {
  return { hostname, port: port ?? undefined, user, identity_file: identityFile };
}
