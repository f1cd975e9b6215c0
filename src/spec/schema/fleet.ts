import * as z from "zod";
import { readAgentVersion } from "../grammar/agent-version.ts";
import { orderedNodes, readNodeCount, readNodes } from "../grammar/nodes.ts";
import { readVolumePath } from "../grammar/volume.ts";
import type { FleetAllowance } from "../types-fleet.ts";
import { env } from "./env.ts";
import { by, flag, mapping, optional, required, scalarOf, textOf } from "./fields.ts";
import { resourceName } from "./name.ts";
import { idleDuration, offerFields, withCloudFleets } from "./offers.ts";
import { resources } from "./resources.ts";
import { retry } from "./retry.ts";
import { blocks, blocksStanding, overSsh, sshConfig } from "./ssh.ts";

/** Three days, in seconds: a fleet is there to be used again. */
const DEFAULT_IDLE_S = 3 * 24 * 3600;

const nodes = z.union([
  scalarOf(readNodes),
  mapping("nodes", {
    min: optional(scalarOf(readNodeCount), 0, {
      description: "Hosts that always stay",
      examples: [0],
      standing: withCloudFleets,
    }),
    target: optional(scalarOf(readNodeCount), null, {
      description: "Hosts that are made at first; `min` when left out",
      examples: [2],
      standing: withCloudFleets,
    }),
    max: optional(scalarOf(readNodeCount), null, {
      description: "Hosts that there are at most; any number when left out",
      examples: [4],
      standing: withCloudFleets,
    }),
  }).transform(by(({ min, target, max }) => orderedNodes(min, target, max))),
]);

/** What only a fleet of rented hosts has, and what only one of existing hosts has. */
export const cloudFields = {
  nodes: optional(nodes, null, {
    description: "How many hosts are rented",
    examples: [2, "0..4"],
    standing: withCloudFleets,
  }),
  resources: optional(resources, null, {
    description: "What each host shall have",
    examples: [{ gpu: "H100:8" }],
    standing: withCloudFleets,
  }),
  ...offerFields,
  retry: optional(retry, null, {
    description: "How long a host that the cloud does not have is asked for again",
    examples: [true],
    standing: withCloudFleets,
  }),
  idle_duration: idleDuration(DEFAULT_IDLE_S),
};

export const sshFields = {
  ssh_config: optional(sshConfig, null, {
    description: "Hosts that exist, and how they are reached",
    examples: [{ user: "ubuntu", identity_file: "~/.ssh/id_ed25519", hosts: ["10.0.0.5"] }],
    standing: overSsh,
  }),
  env: optional(env, null, {
    description: "Variables of what runs on the hosts",
    examples: [["HTTPS_PROXY=http://proxy:3128"]],
    standing: {
      kind: "extended",
      how: "every job gets them, below its service's own; each has a value, which refers to nothing",
    },
  }),
};

/** Where a path ends does not matter. */
const hostPath = textOf(readVolumePath).transform((path) => path.replace(/\/+$/, "") || "/");

const allow = mapping("allow", {
  privileged: optional(flag, false, {
    description: "Whether containers may run with all rights on the host",
    examples: [true],
    standing: { kind: "extended", how: "`privileged` of a service needs it" },
  }),
  host_paths: optional(z.union([flag.transform((all) => (all ? ["/"] : [])), z.array(hostPath)]), [], {
    description: "Folders and files of the host that may be mounted, with all that is below them; true for any",
    examples: [["/mnt/models"], true],
    standing: { kind: "extended", how: "`volumes` of a service that name a path of the host need it" },
  }),
  processes: optional(flag, true, {
    description: "Whether jobs may run as processes of the host, outside of any container",
    examples: [false],
    standing: { kind: "extended", how: "groups without an image, and hosts without a Docker engine, need it" },
  }),
}).transform(
  ({ privileged, host_paths, processes }): FleetAllowance => ({ privileged, hostPaths: host_paths, processes }),
);

const agent = mapping("agent", {
  version: optional(textOf(readAgentVersion), "server", {
    description: "The build that hosts run: the server's, the one they have now (hold), or a build",
    examples: ["hold", "4f2a90bb13c7"],
    standing: { kind: "extended", how: "hosts update their agents, a few at a time" },
  }),
}).transform(({ version }) => version);

/** A fleet as it is written; `rules/fleet.ts` has what must hold between its fields. */
export const fleet = mapping("fleet", {
  type: required(z.literal("fleet"), { description: "What the file describes", examples: ["fleet"] }),
  name: resourceName("What the fleet is called", "gpu-hosts"),
  placement: optional(z.enum(["any", "cluster"]), "any", {
    description: "Whether the hosts share a fast interconnect (cluster) or may be anywhere (any)",
    examples: ["cluster"],
    standing: {
      kind: "better",
      how: "prefill and decode of a service, which send each other their cache, are kept within one such fleet",
    },
  }),
  blocks: optional(blocks, "auto", {
    description: "Into how many equal parts the accelerators of each host are divided; a job gets whole parts",
    examples: [1, 8, "auto"],
    standing: blocksStanding,
  }),
  overcommit: optional(flag, true, {
    description: "Whether the cpus and the memory of a host may be promised more than once",
    examples: [false],
    standing: { kind: "extended", how: "says whether jobs share a host's cpus and memory" },
  }),
  allow: optional(allow, null, {
    description: "What jobs may do to the hosts that would get them out of their containers; nothing when left out",
    examples: [{ privileged: true, host_paths: ["/mnt/models"] }],
    standing: { kind: "extended", how: "a job gets no power over a host that its fleet does not give it" },
  }),
  agent: optional(agent, null, {
    description: "How the agents of the hosts are kept up to date; as the server's when left out",
    examples: [{ version: "hold" }],
    standing: { kind: "extended", how: "hosts update their agents, a few at a time" },
  }),
  ...cloudFields,
  ...sshFields,
});

export type WrittenFleet = z.output<typeof fleet>;
