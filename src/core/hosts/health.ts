import type { Inventory } from "../../wire/index.ts";
import type { Draft } from "../draft.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";
import type { Cordons, HostEntity, Millis } from "../state.ts";

/** A person mends one thing after the other; the host's own view has them all. */
const PROBLEMS_TOLD = 3;

/**
 * Why nothing new should be placed on a host, by what its agent says of its parts; null = it is well. The agent holds a
 * part to be bad only after several readings, and good again after more of them, so that this does not come and go.
 */
export function whyUnwell({ problems }: Pick<Inventory, "problems">): string | null {
  if (problems.length === 0) return null;
  const told = problems.slice(0, PROBLEMS_TOLD).map(({ message }) => message);
  const others = problems.length - told.length;
  const reason = others === 0 ? told.join("; ") : `${told.join("; ")}; and ${others} more`;
  return reason.slice(0, REASON_LENGTH_MAX);
}

/** Cordons a host that has become unwell, and gives one back that is well again; what an operator said of it stands. */
export function weighHealth(draft: Draft, host: HostEntity, inventory: Inventory, now: Millis): Cordons {
  const { health } = host.cordons;
  const reason = whyUnwell(inventory);
  if (reason === (health?.reason ?? null)) return host.cordons;
  if (reason === null) {
    draft.event({ type: "host.well", host: host.id, message: `${host.name} is well again` });
    return { ...host.cordons, health: null };
  }
  draft.event({ type: "host.unwell", host: host.id, message: `${host.name} gets nothing new: ${reason}` });
  return { ...host.cordons, health: { since: health?.since ?? now, reason } };
}
