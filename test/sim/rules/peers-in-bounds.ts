import { type PeerList, peerList } from "../../../src/wire/index.ts";
import type { Ledger } from "../ledger.ts";
import type { Machine } from "../machine.ts";

/** A host is told to try other hosts of its own fleet, each once, and no more than the wire takes. */
export function peersInBounds(ledger: Ledger, { name, spec }: Machine, list: PeerList): string | null {
  const parsed = peerList.safeParse(list);
  if (!parsed.success) return `${name} is to try ${list.hosts.length} hosts: ${parsed.error.message}`;
  const ids = list.hosts.map(({ host }) => host);
  if (new Set(ids).size < ids.length) return `${name} is to try a host twice: ${ids.join(", ")}`;
  if (ids.includes(spec.host)) return `${name} is to try itself`;
  const stranger = ids.find((id) => !ledger.everJoined.has(id));
  return stranger ? `${name} of ${spec.project} is to try ${stranger}, which never was in its project` : null;
}
