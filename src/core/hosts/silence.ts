import { byId, type Draft } from "../draft.ts";
import { LOOK_AGAIN_MS, LOST_AFTER_MS, MASS_SILENCE, RETURN_AFTER_START_MS } from "../limits.ts";
import type { FleetEntity, HostEntity, Millis, ReplicaEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { cutOffUntil } from "./returns.ts";

/**
 * When the replicas of a host count as lost, if nothing is heard of it until then; null = never, as things are.
 *
 * The clock starts when the host was last heard of. A controller that began to listen only after that, or that could
 * not hear most of the fleet until lately, cannot know what it missed: so it gives every agent the time to come back
 * first, which agents do one after the other, and a slow server takes them in one after the other.
 */
function lostAt(draft: Draft, host: HostEntity): Millis | null {
  if (host.silentSince === null || isFrozen(draft, host.fleet)) return null;
  const heardFrom = cutOffUntil(draft.state, host.fleet, draft.get("fleet", host.fleet)?.thawedAt ?? null);
  return Math.max(host.silentSince + LOST_AFTER_MS, heardFrom + RETURN_AFTER_START_MS);
}

/** When it is to be looked at whether a host is lost; null = never, as things are. */
export function lostDue(draft: Draft, host: HostEntity, now: Millis): Millis | null {
  const at = lostAt(draft, host);
  // What it sent by then may still wait to be read.
  return at !== null && at <= now && !isLost(draft, host, now) ? now + LOOK_AGAIN_MS : at;
}

/** Whether the replicas of a host count as lost now: it was not heard of in time, and what came in time was read. */
export function isLost(draft: Draft, host: HostEntity, now: Millis): boolean {
  const at = lostAt(draft, host);
  return at !== null && Math.min(now, draft.state.heardUpTo) >= at;
}

/** Whether a replica is lost, or everything of it is on lost hosts although it was given up before that. */
export function isOutOfReach(draft: Draft, replica: ReplicaEntity, now: Millis): boolean {
  if (replica.status === "lost") return true;
  return draft.by("job", "replica", replica.id).every((job) => isLost(draft, draft.must("host", job.host), now));
}

/** Starts the clock of a host that runs something and is not heard of. Idle hosts may be silent. */
export function startSilence(context: StepContext, id: string, since: Millis): void {
  const { draft, now } = context;
  const host = draft.get("host", id);
  if (!host || host.silentSince !== null || !draft.hasAny("job", "host", id)) return;
  draft.put({ ...host, silentSince: Math.min(since, now) });
  draft.event({ type: "host.silent", host: id, message: `${host.name} is not heard of` });
  touchServicesOn(context, id);
  context.weighed.add(host.fleet);
}

/** A fleet about which nothing is decided may be heard of again when one of its hosts is. */
export function weighIfFrozen(context: StepContext, fleet: string): void {
  if (isFrozen(context.draft, fleet)) context.weighed.add(fleet);
}

/**
 * Whether most hosts of a fleet fell silent together. Then it is more likely that we cannot hear than that they are
 * gone: nothing is decided about them until most are heard of again. Those that are still silent then have the time
 * that a controller which has just begun to listen would give them.
 */
export function weighFleet(context: StepContext, id: string): void {
  const { draft, now } = context;
  const fleet = draft.get("fleet", id);
  if (!fleet) return;
  const { silent, missing, heard } = countSilence(draft, fleet);
  const absent = silent.length + missing;
  const isMass = silent.length > 0 && absent >= MASS_SILENCE.hostsMin && absent > heard;
  if (isMass && fleet.frozenSince === null) {
    draft.put({ ...fleet, frozenSince: now });
    draft.event({
      type: "fleet.frozen",
      message:
        `${absent} of ${absent + heard} hosts of fleet ${id} fell silent together: nothing is decided about them until ` +
        "most are heard of (hosts that are gone for good: headrace host remove --force)",
    });
  } else if (!isMass && fleet.frozenSince !== null) {
    draft.put({ ...fleet, frozenSince: null, thawedAt: now });
    draft.event({
      type: "fleet.thawed",
      message: `most hosts of fleet ${id} are heard of again; ${silent.length} are still silent`,
    });
    for (const host of silent.sort(byId)) {
      draft.put({ ...host, silentSince: now });
      touchServicesOn(context, host.id);
    }
  }
}

export function touchServicesOn(context: StepContext, host: string): void {
  for (const job of context.draft.by("job", "host", host)) context.touched.add(job.service);
}

function isFrozen(draft: Draft, fleet: string): boolean {
  return (draft.get("fleet", fleet)?.frozenSince ?? null) !== null;
}

/**
 * `silent`: known to be so, since about the same time. `missing`: running something and without a link, for too short a
 * time to be called silent. `heard`: with a link. Hosts that run nothing and have no link tell nothing.
 */
function countSilence(draft: Draft, fleet: FleetEntity): { silent: HostEntity[]; missing: number; heard: number } {
  // In no order and without a list: while thousands of hosts come back, each few that do have it counted.
  const hosts = () => draft.each("host", "fleet", fleet.id);
  let latest = 0;
  for (const { silentSince } of hosts()) latest = Math.max(latest, silentSince ?? 0);
  const from = (fleet.frozenSince ?? latest) - MASS_SILENCE.windowMs;
  const silent: HostEntity[] = [];
  let missing = 0;
  let heard = 0;
  for (const host of hosts()) {
    if (host.silentSince !== null) {
      if (host.silentSince >= from) silent.push(host);
    } else if (draft.state.present.has(host.id)) heard += 1;
    else if (draft.hasAny("job", "host", host.id)) missing += 1;
  }
  return { silent, missing, heard };
}
