import * as z from "zod";
import { hostAddress } from "./inventory.ts";
import { id, opaqueName, port, spanMs } from "./names.ts";

/** Hosts that one host tries at a time; in a larger fleet others follow, round by round. */
export const PEERS_MAX = 32;

/** Ports tried of each of them: those of what runs there, and of what would. */
export const PEER_PORTS_MAX = 6;

/** Why a host was not reached, in words. */
const UNREACHED_CHARS_MAX = 100;

/** The hosts of its fleet to which a host shall try to connect, so that it is known which of them reach each other. */
export const peerList = z.object({
  /** Names the content; an agent that reports it has the list and is not sent it again. */
  tag: opaqueName,
  hosts: z
    .array(z.object({ host: id, address: hostAddress, ports: z.array(port).min(1).max(PEER_PORTS_MAX) }))
    .max(PEERS_MAX),
  /** How often each is tried while all is well. */
  everyMs: spanMs.min(1_000),
  /** After this long the agent reports the next round, which may have other hosts. */
  roundMs: spanMs.min(1_000),
});

/** What came of it. It stays the same, to the byte, while nothing changes. */
export const peersReport = z.object({
  /** Of the list that it tries; "" = none yet. */
  tag: opaqueName,
  round: z.int().min(0),
  /** Those that were not reached, more than once in a row. A refused connection has reached its host. */
  unreached: z
    .array(
      z.object({
        host: id,
        /** The one that was tried. */
        address: z.string().max(253),
        ports: z.array(port).min(1).max(PEER_PORTS_MAX),
        /** Not one of the ports that were tried was reached, so that others will not be either. */
        whole: z.boolean(),
        why: z.string().max(UNREACHED_CHARS_MAX),
      }),
    )
    .max(PEERS_MAX),
});

export type PeerList = z.infer<typeof peerList>;
export type PeersReport = z.infer<typeof peersReport>;
