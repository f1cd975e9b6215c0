import type { PlanView } from "../control/views.ts";
import { type Colors, oneLine } from "./style.ts";

/** Hosts named with their reasons for one replica; a fleet of hundreds would bury the plan. */
const REASONS_SHOWN = 5;

/** A plan for people: what changes, where replicas go, and what to know before saying yes. */
export function planLines(plan: PlanView, colors: Colors): string[] {
  return [
    headline(plan, colors),
    ...plan.changes.map((change) => `  ${oneLine(change)}`),
    ...(plan.placements.length === 0 ? [] : ["", colors.bold("Placement now")]),
    ...plan.placements.flatMap((placement) => placementLines(placement, colors)),
    ...plan.warnings.map((warning) => `${colors.yellow("warning:")} ${oneLine(warning)}`),
  ];
}

function headline(plan: PlanView, colors: Colors): string {
  const name = colors.bold(plan.service);
  if (plan.action === "create") return `${name} will be created.`;
  if (plan.action === "update") return `${name} will be changed, from revision ${plan.revision}.`;
  return `${name} is as the file says, at revision ${plan.revision}.`;
}

function placementLines(placement: PlanView["placements"][number], colors: Colors): string[] {
  const who = `  group ${placement.group}, replica ${placement.replica}`;
  if (placement.host !== null) return [`${who} -> ${placement.host}`];
  const { reasons } = placement;
  const more = reasons.length - REASONS_SHOWN;
  return [
    `${who} ${colors.yellow("fits nowhere now")}${reasons.length === 0 ? ": the project has no host" : ""}`,
    ...reasons.slice(0, REASONS_SHOWN).map(({ host, reason }) => `    ${host}: ${oneLine(reason)}`),
    ...(more > 0 ? [`    and ${more} more hosts`] : []),
  ];
}
