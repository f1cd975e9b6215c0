import * as z from "zod";
import { readPrivateIp, readPrivateNetwork } from "../grammar/ip.ts";
import { readBlocks } from "../grammar/nodes.ts";
import { readPort } from "../grammar/port.ts";
import { readHostname, readKeyFile, readLoginName } from "../grammar/ssh.ts";
import type { SshLogin } from "../types-fleet.ts";
import { mapping, optional, required, type Standing, scalarOf, textOf } from "./fields.ts";

/** The standing of how a host is reached: the machine that applies does it, and the control plane never. */
export const overSsh: Standing = {
  kind: "better",
  how: "the machine that applies connects, with its own `ssh`; the control plane gets no key and dials no host",
};

const hostname = required(textOf(readHostname), {
  description: "Name or address to connect to",
  examples: ["10.0.0.5"],
  standing: overSsh,
});
const port = optional(scalarOf(readPort), null, {
  description: "Port of SSH; 22 when left out",
  examples: [22],
  standing: overSsh,
});
const user = { description: "User to log in as", examples: ["ubuntu"], standing: overSsh };
const identityFile = {
  description: "File with the private key, without passphrase; it is read where the file is applied",
  examples: ["~/.ssh/id_ed25519"],
  standing: overSsh,
};

/** `blocks` of a fleet or of one of its hosts. */
export const blocks = scalarOf(readBlocks);

export const blocksStanding: Standing = {
  kind: "extended",
  how: "left out, jobs share a host by the accelerator (`auto`); jobs without accelerators share it always",
};

const proxyJump = mapping("proxy_jump", {
  hostname,
  port,
  user: required(textOf(readLoginName), user),
  identity_file: required(textOf(readKeyFile), identityFile),
}).transform(({ identity_file, ...rest }): SshLogin => ({ ...rest, identityFile: identity_file }));

/** What may be said for all hosts as well as for one. */
const login = {
  port,
  user: optional(textOf(readLoginName), null, user),
  identity_file: optional(textOf(readKeyFile), null, identityFile),
  proxy_jump: optional(proxyJump, null, {
    description: "The machine through which hosts are reached",
    examples: [{ hostname: "jump.example.com", user: "ubuntu", identity_file: "~/.ssh/id_ed25519" }],
    standing: overSsh,
  }),
};

const host = mapping("ssh host", {
  hostname,
  ...login,
  internal_ip: optional(textOf(readPrivateIp), null, {
    description: "Address at which the other hosts reach it; for all hosts or for none",
    examples: ["10.0.0.5"],
    standing: overSsh,
  }),
  blocks: optional(blocks, null, {
    description: "Into how many parts its accelerators are divided; the fleet's when left out",
    examples: [8, "auto"],
    standing: blocksStanding,
  }),
});

export type WrittenHost = z.output<typeof host>;

const plainHost = textOf(readHostname).transform((name): WrittenHost => host.parse({ hostname: name }));

/** How the hosts of a fleet are reached by SSH. */
export const sshConfig = mapping("ssh_config", {
  ...login,
  network: optional(textOf(readPrivateNetwork), null, {
    description: "The private network that the hosts talk in",
    examples: ["10.0.0.0/24"],
    standing: overSsh,
  }),
  hosts: required(z.array(z.union([plainHost, host])), {
    description: "The hosts, by name or address, or each with what is different for it",
    examples: [["10.0.0.5", "10.0.0.6"]],
    standing: overSsh,
  }),
});

export type WrittenSsh = z.output<typeof sshConfig>;
