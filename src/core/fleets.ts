import type { FleetEntity } from "./state.ts";

/** A fleet that no file has described: its hosts are told by their joining, and its jobs may do nothing special. */
export function closedFleet(id: string): FleetEntity {
  return {
    kind: "fleet",
    id,
    settings: { placement: "any", blocks: 1, overcommit: true, allow: { privileged: false, hostPaths: [] } },
    hosts: { kind: "joined" },
    revision: 0,
    frozenSince: null,
    thawedAt: null,
  };
}
