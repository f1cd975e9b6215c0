import type { Store } from "../../store/types.ts";
import type { JoinRequest } from "../../wire/index.ts";
import type { Clock } from "../clock.ts";
import type { Digest } from "../digest.ts";
import { type Caller, ControlError } from "../types.ts";

/**
 * Uses a join token up.
 * @returns the host's id, the one it got before when its answer was lost; and the fleet that the token is for
 * @throws ControlError `forbidden` without a join token that can be used, `conflict` when it is for another fleet
 */
export async function admitHost(
  caller: Caller,
  request: JoinRequest,
  { store, clock, digest: digestOf }: { store: Store; clock: Clock; digest: Digest },
): Promise<{ host: string; fleet: string }> {
  const { project, credentialId } = caller;
  const fleet = fleetOf(caller, request.fleet);
  const before = await store.credential(request.credentialHash);
  if (before?.kind === "host" && before.project === project && before.subject !== null) {
    return { host: before.subject, fleet };
  }
  const digest = await digestOf(`host\n${credentialId}`);
  const host = `${slug(request.name)}-${digest.slice(0, 8)}`;
  const isFirst = await store.redeemJoin(credentialId, clock.now(), {
    id: host,
    project,
    kind: "host",
    name: `host ${request.name}`,
    hash: request.credentialHash,
    subject: host,
    createdAt: clock.now(),
    expiresAt: null,
    usedAt: null,
    madeBy: caller.name,
  });
  if (!isFirst) throw usedUp();
  return { host, fleet };
}

/**
 * The fleet that a new host could join with this token now. Nothing is used up.
 * @param meant the fleet that the host means to join
 * @throws ControlError `forbidden` without a join token that can be used, `conflict` when it is for another fleet
 */
export function joinableFleet(caller: Caller, meant: string | undefined): string {
  const fleet = fleetOf(caller, meant);
  if (caller.used) throw usedUp();
  return fleet;
}

function fleetOf({ kind, subject: fleet }: Caller, meant: string | undefined): string {
  if (kind !== "join" || fleet === null) {
    throw new ControlError("forbidden", "a host joins with a join token (headrace host join)");
  }
  if (meant === undefined || meant === fleet) return fleet;
  const message = `this join token is for the fleet ${fleet}, and the host means to join ${meant}`;
  throw new ControlError("conflict", `${message}; make one for that fleet (headrace host join --fleet ${meant})`);
}

function usedUp(): ControlError {
  const message = "this join token was used before or has expired; make another (headrace host join)";
  return new ControlError("forbidden", message);
}

/** A host's name as part of an id. */
function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 40) || "host"
  );
}
