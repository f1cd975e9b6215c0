import { shortBuild } from "../../spec/index.ts";
import type { Report } from "../../wire/index.ts";
import type { Draft } from "../draft.ts";
import type { Answer } from "../input.ts";
import { UPDATE_SETTLED_MS, UPDATE_WITHIN_MS, UPDATING_SHARE } from "../limits.ts";
import type { ProjectState } from "../project-state.ts";
import type { AgentOrder, FleetEntity, HostEntity, Millis } from "../state.ts";
import type { StepContext } from "../step.ts";
import { type AgentBuilds, agentTarget } from "./agent-builds.ts";

/** Where fleets stand among what is due, beside services, whose names have no slash. */
const DUE_PREFIX = "fleet/";

/** Name of a fleet among what is due. */
export function dueKeyOf(fleet: string): string {
  return DUE_PREFIX + fleet;
}

/** @returns the fleet that stands there among what is due; null = a service does */
export function fleetOfDueKey(key: string): string | null {
  return key.startsWith(DUE_PREFIX) ? key.slice(DUE_PREFIX.length) : null;
}

/** The build that a host is to go over to; null = what it has is right, or it was not told to yet. */
export function orderFor(state: ProjectState, host: HostEntity): AgentOrder | null {
  const order = host.update;
  if (order === null || order.failed !== null || order.build !== targetOf(state, host.fleet)) return null;
  return installedOn(state, host.id)?.build === order.build ? null : order;
}

/** A host was heard of: whether anything follows from it for the agents of its fleet is to be looked at. */
export function heardOfAgent({ draft, rolled }: StepContext, id: string): void {
  const host = draft.get("host", id);
  const installed = installedOn(draft.state, id);
  if (!host || !installed || rolled.has(host.fleet)) return;
  const target = targetOf(draft.state, host.fleet);
  if (target === null) return;
  const { update } = host;
  const isOpen = update !== null && update.cameAt === null && (update.failed === null || update.build === target);
  if (installed.build !== target || isOpen) rolled.add(host.fleet);
}

/**
 * A server that has begun says which build of the agent it gives out. That is committed, so that of several servers on
 * one database the one that began last is followed: were each to tell the hosts that come to it of its own build, a host
 * that comes now to the one, now to the other would go back and forth for ever.
 */
export function agentGivenOut({ draft, rolled }: StepContext, build: string): Answer {
  const project = draft.must("project", "project");
  if (project.agentBuild === build) return { kind: "done" };
  draft.put({ ...project, agentBuild: build });
  const before = project.agentBuild === null ? "" : `, and not ${shortBuild(project.agentBuild)} any more`;
  draft.event({
    type: "server.agent",
    message: `the server gives out build ${shortBuild(build)} of the agent${before}`,
  });
  for (const { id } of draft.all("fleet")) rolled.add(id);
  return { kind: "done" };
}

/** An operator's word: what came to nothing is tried again. @returns the hosts that it had come to nothing on */
export function retryUpdates({ draft, rolled }: StepContext, fleet: string): HostEntity[] {
  rolled.add(fleet);
  const failed = draft.by("host", "fleet", fleet).filter(({ update }) => update?.failed);
  for (const host of failed) draft.put({ ...host, update: null });
  return failed;
}

/**
 * Takes a fleet one step on to the build of the agent that it is to run: notes what has become of the hosts that were
 * told to update, and tells the next. A few update at a time; each makes room for another once it has stayed on the build
 * for a while. One that did not get there stops it all, until there is another build or an operator says otherwise. A
 * host that is on its way to a build that is not wanted any more may arrive there, so it is one of the few: it is told of
 * the other build as soon as it is heard of, and nobody else in its place.
 *
 * @returns when time alone can take it on; null = never
 */
export function rollAgents(context: StepContext, id: string): Millis | null {
  const { draft, now } = context;
  const fleet = draft.get("fleet", id);
  if (!fleet || fleet.frozenSince !== null) return null;
  const build = buildOf(fleet, draft.state.agentBuilds, draft.must("project", "project").agentBuild);
  if (build === null) return null;
  for (const host of draft.by("host", "fleet", id)) noteOrder(context, host, build);

  const hosts = draft.by("host", "fleet", id);
  const told = hosts.filter(({ update }) => update?.build === build);
  const underWay = hosts.filter(({ update }) => update?.cameAt === null && update.failed === null);
  const settling = told.filter(({ update }) => (update?.cameAt ?? Number.NEGATIVE_INFINITY) + UPDATE_SETTLED_MS > now);
  const isHalted = told.some(({ update }) => update?.failed);
  const waiting = isHalted ? [] : hosts.filter((host) => couldUpdate(draft.state, host, build));
  const room = Math.max(0, updatingMax(hosts, draft.state) - underWay.length - settling.length);
  const [astray = [], next = []] = [true, false].map((is) => waiting.filter((host) => underWay.includes(host) === is));
  const tellNow = [...astray, ...fewestJobsFirst(draft, next).slice(0, room)];
  for (const host of tellNow) tell(context, host, build);

  const due = [
    ...underWay.map(({ update }) => timeoutOf(draft, update!)),
    ...(next.length > room ? settling.map(({ update }) => update!.cameAt! + UPDATE_SETTLED_MS) : []),
    ...(tellNow.length > 0 ? [now + UPDATE_WITHIN_MS] : []),
  ];
  return due.length === 0 ? null : Math.min(...due);
}

/**
 * Notes what has become of an order, as far as its host tells.
 * @param target the build that the fleet is to run, which may be another by now
 */
function noteOrder({ draft, now }: StepContext, host: HostEntity, target: string): void {
  const order = host.update;
  if (order === null) return;
  const { build } = order;
  const installed = installedOn(draft.state, host.id);
  if (installed?.build === build) {
    if (order.cameAt !== null && order.failed === null) return;
    draft.put({ ...host, update: { ...order, cameAt: now, failed: null } });
    const message = `${host.name} runs build ${shortBuild(build)} of the agent`;
    draft.event({ type: "host.updated", host: host.id, message });
    return;
  }
  if (order.cameAt !== null || order.failed !== null) return;
  const failed = whyFailed(draft, order, installed?.failed ?? null, now);
  if (failed === null) return;
  draft.put({ ...host, update: { ...order, failed } });
  const halted = `. No more hosts of fleet ${host.fleet} are told to until there is another build, or its file is applied again`;
  const message = `${host.name} does not run build ${shortBuild(build)} of the agent: ${failed}`;
  draft.event({ type: "host.update_failed", host: host.id, message: message + (build === target ? halted : "") });
}

function whyFailed(
  draft: Draft,
  order: AgentOrder,
  reported: { order: number; reason: string } | null,
  now: Millis,
): string | null {
  if (reported?.order === order.order) return reported.reason;
  if (now < timeoutOf(draft, order)) return null;
  return `it has not come back on it within ${UPDATE_WITHIN_MS / 60_000} minutes`;
}

/** A controller that began to listen only later cannot know what it missed. */
function timeoutOf(draft: Draft, order: AgentOrder): Millis {
  return Math.max(order.since, draft.state.listeningSince) + UPDATE_WITHIN_MS;
}

function tell({ draft, now }: StepContext, host: HostEntity, build: string): void {
  draft.put({ ...host, update: { build, order: draft.version, since: now, cameAt: null, failed: null } });
  const message = `${host.name} is told to run build ${shortBuild(build)} of the agent`;
  draft.event({ type: "host.updating", host: host.id, message });
}

/** Whether a host can update itself, should, and is not doing so. */
function couldUpdate(state: ProjectState, { id, update }: HostEntity, build: string): boolean {
  const installed = installedOn(state, id);
  if (!installed || installed.build === build || !state.present.has(id)) return false;
  return update?.build !== build || update.cameAt !== null;
}

/** Of a fleet's hosts that can update themselves. */
function updatingMax(hosts: HostEntity[], state: ProjectState): number {
  const able = hosts.filter(({ id }) => installedOn(state, id) !== undefined).length;
  return Math.max(1, Math.floor(able / UPDATING_SHARE));
}

/** The less a host runs, the less there is to lose should a build be bad. */
function fewestJobsFirst(draft: Draft, hosts: HostEntity[]): HostEntity[] {
  const jobs = (host: HostEntity) => draft.state.tables.job.ids("host", host.id).size;
  return [...hosts].sort((a, b) => jobs(a) - jobs(b) || (a.id < b.id ? -1 : 1));
}

/** The build that the hosts of a fleet are to run; null = each what it has. */
export function targetOf(state: ProjectState, fleet: string): string | null {
  const entity = state.tables.fleet.byId.get(fleet);
  const project = state.tables.project.byId.get("project");
  return entity ? buildOf(entity, state.agentBuilds, project?.agentBuild ?? null) : null;
}

function buildOf({ settings }: FleetEntity, builds: AgentBuilds, givenOut: string | null): string | null {
  const target = agentTarget(settings.agentVersion, builds, givenOut);
  return target.kind === "build" ? target.build : null;
}

/** What a host said last of the agent that was installed there; undefined for others, and while nothing was heard of it. */
export function installedOn(state: ProjectState, host: string): Report["agent"]["installed"] {
  return state.observed.get(host)?.report.agent.installed;
}
