import type { Inventory } from "../../wire/index.ts";
import type { Draft } from "../draft.ts";
import type { Answer, Input } from "../input.ts";
import { HOSTS_PER_PROJECT_MAX, REASON_LENGTH_MAX } from "../limits.ts";
import { holdPorts } from "../placement/held-ports.ts";
import { hearReplicasOn } from "../reconcile.ts";
import { noHost, refused } from "../refused.ts";
import { moveJob, moveReplica } from "../replicas/lifecycle.ts";
import type { HostEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { heardOfAgent } from "./agent-updates.ts";
import { NO_CORDONS } from "./cordons.ts";
import { openFleet } from "./fleets.ts";
import { weighHealth } from "./health.ts";
import { touchServicesOn, weighIfFrozen } from "./silence.ts";

/** To a host whose join token is used up by then. */
export const REMOVED_WHILE_JOINING =
  "this host was removed while it joined; make another join token (headrace host join)";

export function hostJoined(context: StepContext, input: Extract<Input, { kind: "host_joined" }>): Answer {
  const { draft, now } = context;
  const known = draft.get("host", input.host);
  if (known) return known.fleet === input.fleet ? { kind: "done" } : inAnotherFleet(known, input.fleet);
  if (draft.isDeleted("host", input.host)) return refused("conflict", REMOVED_WHILE_JOINING);
  if (draft.count("host") >= HOSTS_PER_PROJECT_MAX) {
    return refused("too_many", `a project has at most ${HOSTS_PER_PROJECT_MAX} hosts`);
  }
  const refusal = openFleet(draft, input.fleet);
  if (refusal) return refusal;
  const host: HostEntity = {
    kind: "host",
    id: input.host,
    name: input.name,
    fleet: input.fleet,
    machine: input.machine,
    inventory: input.inventory,
    silentSince: null,
    joinedAt: now,
    offeredContainers: input.inventory.runtimes.includes("docker"),
    cordons: NO_CORDONS,
    update: null,
  };
  draft.event({ type: "host.joined", host: host.id, message: `${host.name} joined fleet ${host.fleet}` });
  draft.put({ ...host, cordons: weighHealth(draft, host, input.inventory, now) });
  context.roomFreed = true;
  return { kind: "done" };
}

/**
 * A host said something: it is not silent any more, and the services of which it said anything new are looked at. Most
 * reports say nothing new but that a commit was heard of which concerned others.
 */
export function hostReported(context: StepContext, id: string): Answer {
  const { draft, now } = context;
  const host = draft.get("host", id);
  const observed = draft.state.observed.get(id);
  if (!host || !observed) return noHost(id);
  const { inventory } = observed.report;
  const changed = JSON.stringify(inventory) !== JSON.stringify(host.inventory);
  if (changed || host.silentSince !== null) {
    const offeredContainers = host.offeredContainers || inventory.runtimes.includes("docker");
    const cordons = weighHealth(draft, host, inventory, now);
    draft.put({ ...host, inventory, offeredContainers, silentSince: null, cordons });
    if (resources(inventory) !== resources(host.inventory))
      draft.event({ type: "host.changed", host: id, message: `${host.name} has other resources than before` });
    tellNewWarnings(draft, host, inventory);
    if (host.silentSince !== null) {
      draft.event({ type: "host.returned", host: id, message: `${host.name} is back` });
      context.weighed.add(host.fleet);
    }
    context.roomFreed = true;
    touchServicesOn(context, id);
  } else hearReplicasOn(context, id);
  heardOfAgent(context, id);
  return { kind: "done" };
}

/** What is wrong with a host is told by itself, and so are its disks that fill up with what runs there. */
function resources(inventory: Inventory): string {
  return JSON.stringify({ ...inventory, problems: [], warnings: [], disks: [], modelCache: null });
}

/** Of many at once, as after an update of the agent, a reader of the journal looks at the host anyway. */
const WARNINGS_TOLD = 3;

function tellNewWarnings(draft: Draft, host: HostEntity, { warnings }: Inventory): void {
  const news = warnings.filter((warning) => !host.inventory.warnings.includes(warning));
  for (const warning of news.slice(0, WARNINGS_TOLD)) {
    const message = `${host.name}: ${warning}`.slice(0, REASON_LENGTH_MAX);
    draft.event({ type: "host.warning", host: host.id, message });
  }
}

/** A host's link is up: it can be given something to run. */
export function hostPresent(context: StepContext, id: string): Answer {
  const host = context.draft.get("host", id);
  context.roomFreed = true;
  if (host) weighIfFrozen(context, host.fleet);
  heardOfAgent(context, id);
  return { kind: "done" };
}

/**
 * Forgets a host. One that runs something is forgotten only by force: the operator says that it is gone for good, so
 * what it held is free and its replicas have ended. If it is not gone after all its jobs run on, unknown to anybody.
 */
export function hostRemoved(context: StepContext, id: string, force: boolean): Answer {
  const { draft } = context;
  const host = draft.get("host", id);
  if (!host) return noHost(id);
  const jobs = draft.by("job", "host", id);
  if (jobs.length > 0 && !force) {
    const message =
      `${host.name} runs ${jobs.length} ${jobs.length === 1 ? "job" : "jobs"}: drain it first (headrace host drain), ` +
      "or remove it by force if the machine is gone for good";
    return refused("conflict", message);
  }
  forgetHost(context, host, "was removed");
  draft.event({ type: "host.removed", host: id, message: `${host.name} was removed${force ? " by force" : ""}` });
  return { kind: "done" };
}

/** Forgets a host that has ended all that it ran, and says so itself: what was there is replaced elsewhere. */
export function hostLeft(context: StepContext, id: string): Answer {
  const { draft } = context;
  const host = draft.get("host", id);
  if (!host) return noHost(id);
  forgetHost(context, host, "has left");
  draft.event({ type: "host.left", host: id, message: `${host.name} has left: its agent was taken off it` });
  return { kind: "done" };
}

function forgetHost(context: StepContext, host: HostEntity, why: string): void {
  const { draft, now } = context;
  for (const job of draft.by("job", "host", host.id)) {
    const replica = draft.must("replica", job.replica);
    holdPorts(context, replica, job);
    moveJob(draft, job, "gone", now);
    if (draft.by("job", "replica", replica.id).length === 0) {
      moveReplica(draft, replica, "ended", `its host ${host.name} ${why}`, now);
    }
    context.touched.add(job.service);
  }
  draft.delete("host", host.id);
  context.weighed.add(host.fleet);
}

/** The answer of its first join was lost, and it was given a token for another fleet since. */
function inAnotherFleet({ id, fleet }: HostEntity, meant: string): Answer {
  const message =
    `this host is in the fleet ${fleet} by an earlier join, whose answer it did not get; ` +
    `to join it to ${meant}, remove it first (headrace host remove ${id})`;
  return refused("conflict", message);
}
