import { type FleetChange, fleetChanges } from "../core/hosts/fleet-changes.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import type { Answer, Input } from "../core/input.ts";
import type { ProjectState } from "../core/project-state.ts";
import type { FleetEntity, Millis } from "../core/state.ts";
import { step } from "../core/step.ts";
import { type SpecIssue, whyNotApplied } from "../spec/index.ts";
import { carriedOut, requireAdmin, whenDone } from "./answers.ts";
import { readConfig } from "./apply/read-config.ts";
import type { Once } from "./once.ts";
import { type Caller, ControlError } from "./types.ts";
import { describeAgents } from "./views/describe-agents.ts";
import type {
  FleetApplyAnswer,
  FleetChangeAnswer,
  FleetPlanView,
  FleetRequest,
  FleetView,
} from "./views/views-fleet.ts";

type FleetInput = Extract<Input, { kind: "fleet_applied" }>;

/**
 * Reads the file of a fleet, whoever sent it.
 * @throws ControlError `invalid_config` with every issue, `unsupported` for a file that describes something else
 */
export async function readFleet({
  config,
  file,
  expectedRevision,
}: FleetRequest): Promise<{ input: FleetInput; notes: SpecIssue[] }> {
  const parsed = await readConfig(config, file);
  if (!parsed.ok) throw new ControlError("invalid_config", `${file} is not valid`, parsed.issues);
  if (parsed.type !== "fleet") throw new ControlError("unsupported", `${file} describes a ${parsed.type}, not a fleet`);
  const { name, hosts, type: _, ...settings } = parsed.spec;
  if (hosts.kind === "cloud") {
    throw new ControlError("unsupported", `${file} is valid and not applied. ${whyNotApplied(parsed)}`);
  }
  const input: FleetInput = {
    kind: "fleet_applied",
    fleet: name,
    settings,
    hosts,
    expectedRevision: expectedRevision ?? null,
  };
  return { input, notes: parsed.notes };
}

/** What an apply of the file would do now; changes nothing. */
export function planFleet(state: ProjectState, input: FleetInput, notes: SpecIssue[], now: Millis): FleetPlanView {
  const { fleet, settings, hosts } = input;
  const before = state.tables.fleet.byId.get(fleet);
  const [answer] = step(state, [input], now).answers;
  // Of one that is made all is told that is not as it would be without a file.
  const changes = fleetChanges(before ?? closedFleet(fleet), { settings, hosts });
  return {
    action: answer?.kind === "applied" ? answer.action : "refused",
    fleet,
    revision: before?.revision ?? 0,
    refusal: answer?.kind === "refused" ? answer.message : null,
    changes: [...changes, ...retriesOf(state, fleet)],
    hosts: state.tables.host.ids("fleet", fleet).size,
    notes,
    warnings: warningsOf(changes),
  };
}

/** An apply of the same file is the word to go on with an update that was stopped. */
function retriesOf(state: ProjectState, fleet: string): FleetChange[] {
  const hosts = [...state.tables.host.ids("fleet", fleet)].map((id) => state.tables.host.byId.get(id));
  const failed = hosts.filter((host) => host?.update?.failed).length;
  if (failed === 0) return [];
  return [
    { path: "agent", from: `update failed on ${failed === 1 ? "1 host" : `${failed} hosts`}`, to: "tried again" },
  ];
}

export async function applyFleet(
  once: Once,
  caller: Caller,
  request: FleetRequest,
  key: string,
): Promise<FleetApplyAnswer> {
  requireAdmin(caller, "apply fleets, which say what jobs may do to hosts");
  return once(caller, "apply fleet", key, request, async () => {
    const { input } = await readFleet(request);
    const toAnswer = (answer: Answer, version: number): FleetApplyAnswer => {
      const { revision, action } = carriedOut(answer, "applied");
      return { fleet: input.fleet, revision, action, version };
    };
    return { input, toAnswer };
  });
}

export async function deleteFleet(once: Once, caller: Caller, fleet: string, key: string): Promise<FleetChangeAnswer> {
  requireAdmin(caller, "delete fleets");
  const input = { kind: "fleet_deleted" as const, fleet };
  return once(caller, "delete fleet", key, input, async () => ({ input, toAnswer: whenDone({ fleet }) }));
}

/** What an operator should know who is about to give jobs power over hosts. */
function warningsOf(changes: FleetChange[]): string[] {
  return changes.flatMap(({ path, to }) => {
    if (path === "allow.privileged" && to === "true") {
      return ["`allow.privileged` lets everybody who may apply services here become root on the fleet's hosts"];
    }
    if (path === "allow.host_paths" && to === "any") {
      return [
        "`allow.host_paths: true` lets everybody who may apply services here read and write any file of the hosts",
      ];
    }
    return [];
  });
}

export function describeFleet(state: ProjectState, fleet: FleetEntity): FleetView {
  const { id, settings, hosts, revision, frozenSince } = fleet;
  const { agentVersion: _, ...others } = settings;
  return {
    name: id,
    revision,
    ...others,
    agent: describeAgents(state, fleet),
    // Values of its variables may be secrets.
    ssh: hosts.kind === "ssh" ? { network: hosts.network, env: Object.keys(hosts.env), hosts: hosts.hosts } : null,
    frozen: frozenSince !== null,
    hosts: state.tables.host.ids("fleet", id).size,
  };
}
