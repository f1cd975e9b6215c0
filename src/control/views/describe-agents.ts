import { agentTarget } from "../../core/hosts/agent-builds.ts";
import { installedOn, targetOf } from "../../core/hosts/agent-updates.ts";
import type { ProjectState } from "../../core/project-state.ts";
import type { FleetEntity, HostEntity } from "../../core/state.ts";
import { shortBuild } from "../../spec/index.ts";
import type { HostView } from "./views.ts";
import type { FleetView } from "./views-fleet.ts";

/** How the agents of a fleet stand to the build that they are to run. */
export function describeAgents(state: ProjectState, { id, settings }: FleetEntity): FleetView["agent"] {
  const target = agentTarget(
    settings.agentVersion,
    state.agentBuilds,
    state.tables.project.byId.get("project")?.agentBuild ?? null,
  );
  const hosts = [...state.tables.host.ids("fleet", id)].sort().map((host) => state.tables.host.byId.get(host)!);
  const builds = hosts.flatMap((host) => installedBuild(state, host.id) ?? []);
  const build = target.kind === "build" ? target.build : null;
  const current = builds.filter((one) => one === build).length;
  return {
    version: settings.agentVersion,
    build,
    updatable: builds.length,
    current,
    message:
      target.kind === "missing" ? target.why : build === null ? "" : progress(hosts, build, builds.length - current),
  };
}

/** What a host was told to run and does not yet, or has failed to; null = nothing. */
export function describeUpdate(state: ProjectState, host: HostEntity): HostView["agentUpdate"] {
  const { update } = host;
  if (update === null || (update.cameAt !== null && update.failed === null)) return null;
  if (targetOf(state, host.fleet) !== update.build) return null;
  return { build: update.build, since: update.since, failed: update.failed };
}

/** Of an agent that was installed by the script; null for others, and while nothing was heard of it. */
export function installedBuild(state: ProjectState, host: string): string | null {
  return installedOn(state, host)?.build ?? null;
}

function progress(hosts: HostEntity[], build: string, left: number): string {
  const told = hosts.filter(({ update }) => update?.build === build);
  const failed = told.find(({ update }) => update?.failed);
  if (failed) {
    return (
      `the update to ${shortBuild(build)} stopped: ${failed.name} does not run it: ${failed.update?.failed}. It goes on ` +
      "with another build, or when the fleet's file is applied again"
    );
  }
  if (left === 0) return "";
  const underWay = told.filter(({ update }) => update?.cameAt === null).map(({ name }) => name);
  if (underWay.length === 0) return `${left} of the hosts still to be updated to ${shortBuild(build)}`;
  return `updating to ${shortBuild(build)}: ${underWay.slice(0, NAMED).join(", ")}${underWay.length > NAMED ? " and others" : ""}`;
}

/** Of the hosts that update at a time so many are named. */
const NAMED = 3;
