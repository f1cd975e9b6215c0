import type { Plan, PlannedPlacement } from "../../core/services/plan.ts";
import type { SpecIssue } from "../../spec/types.ts";
import type { PlanView } from "./views.ts";

/** Hosts named for one reason, and reasons given for one group: a plan for thousands of hosts stays readable. */
const HOSTS_NAMED_MAX = 20;
const REASONS_MAX = 20;

/** Replicas that are named as drained; the changes say how many there are in all. */
const DRAINED_NAMED_MAX = 100;

/** What the control plane knows of the service besides the plan. */
interface Planned {
  service: string;
  /** As it is now; 0 when there is none. */
  revision: number;
  status: "running" | "stopping" | "stopped" | null;
  notes: SpecIssue[];
}

export function describePlan(plan: Plan, { service, revision, status, notes }: Planned): PlanView {
  return {
    action: actionOf(plan, status),
    service,
    revision,
    refusal: plan.answer.kind === "refused" ? plan.answer.message : null,
    groups: plan.groups,
    changes: plan.changes.map(({ field: _field, ...change }) => change),
    placements: plan.placements.map((placement) => ({ ...placement, reasons: boundedReasons(placement.reasons) })),
    drained: plan.drained.slice(0, DRAINED_NAMED_MAX),
    notes,
    warnings: plan.warnings,
  };
}

function actionOf({ answer }: Plan, status: Planned["status"]): PlanView["action"] {
  if (answer.kind !== "applied") return "refused";
  return answer.action === "create" && status !== null ? "start" : answer.action;
}

function boundedReasons(reasons: PlannedPlacement["reasons"]): PlanView["placements"][number]["reasons"] {
  const told = reasons.slice(0, REASONS_MAX);
  const rest = reasons.slice(REASONS_MAX).flatMap(({ hosts }) => hosts);
  const all = rest.length === 0 ? told : [...told, { reason: "other reasons of their own", hosts: rest }];
  return all.map(({ reason, hosts }) => ({ reason, count: hosts.length, hosts: hosts.slice(0, HOSTS_NAMED_MAX) }));
}
