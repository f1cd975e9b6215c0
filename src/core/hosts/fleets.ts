import type { Draft } from "../draft.ts";
import type { Answer, Input } from "../input.ts";
import { FLEETS_PER_PROJECT_MAX } from "../limits.ts";
import { refused } from "../refused.ts";
import type { FleetEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { retryUpdates } from "./agent-updates.ts";
import { describeFleetChange, fleetChanges } from "./fleet-changes.ts";

/** A fleet that no file has described: its hosts are told by their joining, and its jobs may do nothing special. */
export function closedFleet(id: string): FleetEntity {
  return {
    kind: "fleet",
    id,
    settings: {
      placement: "any",
      blocks: "auto",
      overcommit: true,
      allow: { privileged: false, hostPaths: [], processes: true },
      agentVersion: "server",
    },
    hosts: { kind: "joined" },
    revision: 0,
    frozenSince: null,
    thawedAt: null,
  };
}

/** Sees to it that there is a fleet for a host that joins it. @returns why there cannot be */
export function openFleet(draft: Draft, id: string): Answer | null {
  if (draft.get("fleet", id)) return null;
  if (isFull(draft)) return tooMany();
  draft.put(closedFleet(id));
  draft.event({ type: "fleet.opened", message: `fleet ${id} is there, since a host joins it` });
  return null;
}

/** What its hosts run already goes on as it was started; what is placed from now on keeps to the new settings. */
export function applyFleet(context: StepContext, input: Extract<Input, { kind: "fleet_applied" }>): Answer {
  const { draft } = context;
  const { fleet: id, settings, hosts, expectedRevision } = input;
  const before = draft.get("fleet", id);
  const revision = before?.revision ?? 0;
  if (expectedRevision !== null && expectedRevision !== revision) {
    const message = `fleet ${id} is at revision ${revision}, and this was planned on revision ${expectedRevision}: somebody else changed it. Plan again`;
    return refused("stale_plan", message);
  }
  if (!before && isFull(draft)) return tooMany();
  const retried = retryUpdates(context, id);
  const changes = before ? fleetChanges(before, { settings, hosts }) : [];
  if (before && changes.length === 0) {
    return { kind: "applied", revision, action: retried.length === 0 ? "none" : "update" };
  }
  draft.put({ ...(before ?? closedFleet(id)), settings, hosts, revision: revision + 1 });
  const what = before ? changes.map(describeFleetChange).join(", ") : "is there";
  draft.event({ type: "fleet.applied", message: `fleet ${id}: ${what}` });
  context.roomFreed = true;
  return { kind: "applied", revision: revision + 1, action: before ? "update" : "create" };
}

export function deleteFleet({ draft }: StepContext, id: string): Answer {
  if (!draft.get("fleet", id)) return refused("not_found", `there is no fleet ${id}: see headrace fleet list`);
  const hosts = draft.by("host", "fleet", id).length;
  if (hosts > 0) {
    const them = hosts === 1 ? "1 host: remove it" : `${hosts} hosts: remove them`;
    return refused("conflict", `fleet ${id} has ${them} first (headrace host remove)`);
  }
  draft.delete("fleet", id);
  draft.event({ type: "fleet.deleted", message: `fleet ${id} was deleted` });
  return { kind: "done" };
}

function isFull(draft: Draft): boolean {
  return draft.count("fleet") >= FLEETS_PER_PROJECT_MAX;
}

function tooMany(): Answer {
  return refused("too_many", `a project has at most ${FLEETS_PER_PROJECT_MAX} fleets; delete one first`);
}
