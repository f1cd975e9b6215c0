import { defaultResources } from "./fill.ts";
import type { WrittenFleet } from "./schema/fleet.ts";
import type { WrittenHost, WrittenSsh } from "./schema/ssh.ts";
import type { CloudHosts, FleetSpec, SshHost, SshHosts } from "./types-fleet.ts";

/** Works out what a written fleet means. The rules have seen to it that it has hosts of one kind. */
export function fillFleet(written: WrittenFleet): FleetSpec {
  const { name, placement, blocks, overcommit, allow, agent } = written;
  return {
    type: "fleet",
    name,
    placement,
    blocks,
    overcommit,
    allow: allow ?? { privileged: false, hostPaths: [], processes: true },
    agentVersion: agent ?? "server",
    hosts: fillHosts(written),
  };
}

function fillHosts(written: WrittenFleet): FleetSpec["hosts"] {
  if (written.ssh_config !== null) return fillSsh(written.ssh_config, written.env ?? {});
  return written.nodes === null ? { kind: "joined" } : fillCloud(written, written.nodes);
}

function fillCloud(written: WrittenFleet, nodes: CloudHosts["nodes"]): CloudHosts {
  return {
    kind: "cloud",
    nodes,
    resources: written.resources ?? defaultResources,
    backends: written.backends,
    regions: written.regions,
    availabilityZones: written.availability_zones,
    instanceTypes: written.instance_types,
    spotPolicy: written.spot_policy ?? "on-demand",
    reservation: written.reservation,
    retry: written.retry,
    maxPrice: written.max_price,
    idleDurationS: written.idle_duration,
    tags: written.tags,
    backendOptions: written.backend_options,
  };
}

function fillSsh(config: WrittenSsh, env: SshHosts["env"]): SshHosts {
  return { kind: "ssh", env, network: config.network, hosts: config.hosts.map((host) => fillHost(host, config)) };
}

/** The rules have seen to it that each host has a user and a key. */
function fillHost(host: WrittenHost, shared: WrittenSsh): SshHost {
  return {
    hostname: host.hostname,
    port: host.port ?? shared.port,
    user: (host.user ?? shared.user) as string,
    identityFile: (host.identity_file ?? shared.identity_file) as string,
    proxyJump: host.proxy_jump ?? shared.proxy_jump,
    internalIp: host.internal_ip,
    blocks: host.blocks,
  };
}
