import type { Draft } from "../draft.ts";
import { UNREADY_REPLACE_MS } from "../limits.ts";
import { currentRevision, groupOfReplica, revisionGroups } from "../services/revision.ts";
import type { Millis, ReplicaEntity } from "../state.ts";

/**
 * When a replica that was ready and is not is to be replaced; null = not while things are as they are.
 *
 * A router is not ready either while a role of its service has no ready worker, and another router would not be: so its
 * time counts from when each role has one. An engine may take minutes to load its model again.
 */
export function unreadyDue(draft: Draft, replica: ReplicaEntity): Millis | null {
  if (replica.status !== "suspect") return null;
  let from: Millis | null = replica.since;
  if (groupOfReplica(draft, replica).resolved.role === "router") from = servedFrom(draft, replica);
  return from === null ? null : from + UNREADY_REPLACE_MS;
}

/** Since when the router has been unready with a ready worker of each role beside it; null = a role has none. */
function servedFrom(draft: Draft, router: ReplicaEntity): Millis | null {
  const service = draft.must("service", router.service);
  const groups = [...revisionGroups(currentRevision(draft, service))].filter(
    ([name]) => (service.wanted[name] ?? 0) > 0,
  );
  const roles = new Set(groups.map(([, { resolved }]) => resolved.role));
  roles.delete("router");
  const moments = [router.since];
  for (const role of roles) {
    const ready = draft
      .by("replica", "service", router.service)
      .filter((each) => each.status === "ready" && groupOfReplica(draft, each).resolved.role === role);
    if (ready.length === 0) return null;
    moments.push(Math.min(...ready.map(({ since }) => since)));
  }
  return Math.max(...moments);
}
