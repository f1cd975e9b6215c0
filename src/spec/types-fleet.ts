import type { EnvSpec, ProfileParams, ResourcesSpec, SpotPolicy } from "./types.ts";

/** Into how many equal parts a host's accelerators are divided for jobs; `auto` = one for each accelerator. */
export type Blocks = number | "auto";

/** What holds for all hosts of a fleet. */
export interface FleetSettings {
  /** `cluster`: the hosts share a fast interconnect. */
  placement: "any" | "cluster";
  blocks: Blocks;
  /** Whether the cpus and the memory of a host may be promised more than once. */
  overcommit: boolean;
  allow: FleetAllowance;
  /** The build of the agent that hosts run: `server` = the server's, `hold` = what each has, or the start of a build. */
  agentVersion: string;
}

/** What jobs may do to the hosts of a fleet that would get them out of their containers. */
export interface FleetAllowance {
  privileged: boolean;
  /** Absolute paths of a host that jobs may mount, each with all that is below it; `/` = any, none = none. */
  hostPaths: string[];
  /** Whether they may run as processes of the host, outside of any container. */
  processes: boolean;
}

/** A named set of hosts, as a file describes it. */
export interface FleetSpec extends FleetSettings {
  type: "fleet";
  name: string;
  hosts: JoinedHosts | CloudHosts | SshHosts;
}

/** Hosts that join by themselves, each with a token. */
export interface JoinedHosts {
  kind: "joined";
}

/** Hosts that are rented as they are needed. Lists that are null allow anything. */
export interface CloudHosts
  extends Pick<
    ProfileParams,
    | "backends"
    | "regions"
    | "availabilityZones"
    | "instanceTypes"
    | "retry"
    | "maxPrice"
    | "idleDurationS"
    | "tags"
    | "backendOptions"
  > {
  kind: "cloud";
  /** `min` always stay, `target` are made at first, there are never more than `max`; null = as many as are asked for. */
  nodes: { min: number; target: number; max: number | null };
  resources: ResourcesSpec;
  spotPolicy: SpotPolicy;
  reservation: string | null;
}

/** Hosts that exist and are reached by SSH. Each is complete in itself: what the file says for all of them is in it. */
export interface SshHosts {
  kind: "ssh";
  /** Below what Headrace and a service give to its jobs. All have a value. */
  env: EnvSpec;
  /** The private network that the hosts talk in, e.g. `10.0.0.0/24`, as written: bits of a host may be set. */
  network: string | null;
  hosts: SshHost[];
}

/** How to log in somewhere. Paths are of whoever applies, as written. */
export interface SshLogin {
  hostname: string;
  /** null = SSH's own default. */
  port: number | null;
  user: string;
  identityFile: string;
}

export interface SshHost extends SshLogin {
  proxyJump: SshLogin | null;
  /** The address that other hosts of the fleet reach it by; null = found out. */
  internalIp: string | null;
  /** null = the fleet's. */
  blocks: Blocks | null;
}
