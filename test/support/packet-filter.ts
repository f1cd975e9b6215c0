import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { ensurePrograms } from "../../scripts/system-packages.ts";

/** What a firewall is made with: nftables, or iptables where a kernel has only that. */
export const PACKET_FILTERS = ["nft", "iptables"] as const;
export type PacketFilter = (typeof PACKET_FILTERS)[number];

/** How a command is run where the firewall shall be: in front of it stands what leads into a namespace, say. */
type Into = readonly string[];

/** Daemons and what sets up networks are not on everybody's PATH. */
const env = { ...process.env, PATH: [process.env.PATH, "/usr/sbin"].join(delimiter) };

const NFT_RULES = `table inet closed {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    counter drop
  }
}
`;

const IPTABLES_RULES = `*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -j DROP
COMMIT
`;

/** The older programs by their full names: under the short ones Debian has others that speak to nftables. */
const IPTABLES = "iptables-legacy";

/** From then on every packet that comes in and is no answer is dropped, and counted. @throws Error with what was said */
export function dropInbound(filter: PacketFilter, into: Into): void {
  if (filter === "nft") run([...into, "nft", "-f", "-"], NFT_RULES);
  else run([...into, `${IPTABLES}-restore`], IPTABLES_RULES);
}

/** Takes back what `dropInbound` did. @throws Error with what was said */
export function allowInbound(filter: PacketFilter, into: Into): void {
  if (filter === "nft") run([...into, "nft", "delete", "table", "inet", "closed"]);
  else run([...into, `${IPTABLES}-restore`], "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
}

/** Packets that were dropped since. */
export function droppedPackets(filter: PacketFilter, into: Into): number {
  const said =
    filter === "nft"
      ? /counter packets (\d+)/.exec(run([...into, "nft", "list", "table", "inet", "closed"]))
      : /^\s*(\d+)\s+\d+\s+DROP/m.exec(run([...into, IPTABLES, "-nvxL", "INPUT"]));
  if (!said) throw new Error(`${filter} counts nothing`);
  return Number(said[1]);
}

/**
 * The first packet filter that works on this machine, whose programs are installed where that can be done; or, in one
 * line, why there is none: some kernels have neither, and no test can give them one.
 * @param into leads into fresh namespaces. @throws Error where these cannot be had, which is no matter of filters
 */
export function findPacketFilter(into: Into): { filter: PacketFilter } | { none: string } {
  run([...into, "true"]);
  const said: string[] = [];
  for (const filter of PACKET_FILTERS) {
    try {
      if (filter === "iptables") {
        ensurePrograms([{ program: IPTABLES, package: "iptables", purpose: "a host whose firewall lets nothing in" }]);
      }
      dropInbound(filter, into);
      return { filter };
    } catch (error) {
      said.push(`${filter}: ${(error as Error).message}`);
    }
  }
  return { none: said.join("; ").replace(/\s+/g, " ") };
}

function run([program = "", ...args]: string[], input = ""): string {
  const done = spawnSync(program, args, { input, encoding: "utf8", env });
  if (done.status === 0) return done.stdout;
  throw new Error(done.error?.message ?? (done.stderr.trim() || `${program} ended with ${done.status ?? done.signal}`));
}
