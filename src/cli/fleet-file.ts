import type { Client } from "../api/client.ts";
import type { FleetApplyAnswer, FleetPlanView } from "../control/views/views-fleet.ts";
import type { ConfigFile, ConfigFlags } from "./config-request.ts";
import { confirm } from "./context.ts";
import type { Io } from "./io.ts";
import { noteLines, section } from "./plan-lines.ts";
import { type Colors, oneLine } from "./style.ts";

/** What the server is sent of a fleet's file. */
export function fleetRequestOf({ file }: ConfigFlags, { text: config }: ConfigFile): { config: string; file: string } {
  return { config, file };
}

/** Applies the fleet that the user has seen and agreed to. @returns null when they did not agree */
export async function applyFleetPlan(
  io: Io,
  client: Client,
  request: { config: string; file: string },
  plan: FleetPlanView,
  yes: boolean,
): Promise<FleetApplyAnswer | null> {
  const { fleet, revision, action } = plan;
  if (action === "none") {
    const { commits } = await client.journal({ after: -1, limit: 1 });
    return { fleet, revision, action, version: commits.at(-1)?.version ?? 0 };
  }
  if (!(await confirm(io, "Apply?", yes))) return null;
  return client.applyFleet({ ...request, expectedRevision: revision });
}

/** The plan of a fleet for people. */
export function fleetPlanLines(plan: FleetPlanView, colors: Colors): string[] {
  const isDone = plan.action === "none";
  return [
    headline(plan, colors),
    ...section(
      "",
      plan.changes.map(({ path, from, to }) => `  ${path}: ${oneLine(from)} -> ${oneLine(to)}`),
    ),
    ...section("", isDone ? [] : noteLines(plan.notes, colors)),
    ...section("", isDone ? [] : plan.warnings.map((warning) => `${colors.yellow("warning:")} ${oneLine(warning)}.`)),
    ...(plan.refusal === null ? [] : ["", `${colors.red("refused:")} ${oneLine(plan.refusal)}.`]),
  ];
}

function headline({ action, fleet, changes, hosts }: FleetPlanView, colors: Colors): string {
  const name = `fleet ${colors.bold(fleet)}`;
  const them = hosts === 1 ? "1 host" : `${hosts} hosts`;
  switch (action) {
    case "create":
      return `${name} will be created.`;
    case "update":
      return `${name} (${them}) will be changed. What runs goes on as it is; what is placed from then on keeps to it.`;
    case "none":
      return `${name} is as the file says.`;
    case "refused":
      return `${name} cannot be changed like this${changes.length > 0 ? ":" : "."}`;
  }
}
