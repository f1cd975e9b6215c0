import { routerAdapter } from "../../adapters/index.ts";
import { passedVariables } from "../../spec/index.ts";
import type { Answer, Input } from "../input.ts";
import { REPLICAS_PER_GROUP_MAX, SERVICES_PER_PROJECT_MAX } from "../limits.ts";
import { foreignFleet } from "../placement/allowed-hosts.ts";
import { refused } from "../refused.ts";
import { refuseSecrets } from "../secrets/secrets.ts";
import type { RevisionEntity, ServiceEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { currentRevision, revisionId } from "./revision.ts";
import { describeChange, plannedChanges, type Revised, refusalOfChanges } from "./ways.ts";

export function applyService(context: StepContext, input: Extract<Input, { kind: "apply" }>): Answer {
  const { draft, now } = context;
  const { spec } = input;
  const service = draft.get("service", spec.name);
  const refusal = refuseApply(context, input, service);
  if (refusal) return refusal;

  const running = service?.status === "running" ? service : null;
  const before = running ? currentRevision(draft, running) : null;
  const changes = before ? plannedChanges(before, input).map(describeChange) : [];
  if (before && running && changes.length === 0) {
    return { kind: "applied", revision: running.revision, action: "none" };
  }
  const number = (service?.revision ?? 0) + 1;
  const revision: RevisionEntity = {
    kind: "revision",
    id: revisionId(spec.name, number),
    service: spec.name,
    number,
    spec,
    sealed: input.sealed,
    secrets: input.secrets,
    images: input.images,
    files: input.files,
    // A running service is changed in place only, so those that are there and those that come understand each other.
    pairing: before?.pairing ?? input.pairing,
    createdAt: now,
    createdBy: input.actor,
  };
  draft.put(revision);
  draft.put({
    kind: "service",
    id: spec.name,
    status: "running",
    revision: number,
    wanted: Object.fromEntries(spec.groups.map((group) => [group.name, group.count.min])),
    backoff: {},
    firstReadyAt: running?.firstReadyAt ?? null,
  });
  draft.event({
    type: "service.applied",
    service: spec.name,
    message: running ? `revision ${number}: ${changes.join(", ")}` : `revision ${number}`,
  });
  context.touched.add(spec.name);
  return { kind: "applied", revision: number, action: running ? "update" : "create" };
}

export function stopService(context: StepContext, name: string): Answer {
  const { draft } = context;
  const service = draft.get("service", name);
  if (!service) return notFound(name);
  if (service.status !== "running") return { kind: "done" };
  draft.put({ ...service, status: "stopping", backoff: {} });
  draft.event({ type: "service.stopping", service: name, message: "asked to stop" });
  context.touched.add(name);
  return { kind: "done" };
}

export function deleteService(context: StepContext, name: string): Answer {
  const { draft } = context;
  const service = draft.get("service", name);
  if (!service) return notFound(name);
  if (service.status !== "stopped") {
    const message = `service ${name} is ${service.status}; stop it first (headrace stop ${name}) and delete it once it is stopped`;
    return refused("conflict", message);
  }
  for (const revision of draft.by("revision", "service", name)) draft.delete("revision", revision.id);
  draft.delete("service", name);
  draft.event({ type: "service.deleted", service: name, message: "deleted" });
  return { kind: "done" };
}

function refuseApply(
  context: StepContext,
  input: Extract<Input, { kind: "apply" }>,
  service: ServiceEntity | undefined,
): Answer | null {
  const { spec, expectedRevision, sealed } = input;
  const revision = service?.revision ?? 0;
  if (expectedRevision !== null && expectedRevision !== revision) {
    const is = service ? `is at revision ${revision}` : "does not exist";
    const on = expectedRevision === 0 ? "before it existed" : `on revision ${expectedRevision}`;
    return refused(
      "stale_plan",
      `service ${spec.name} ${is}, and this was planned ${on}: somebody else changed it. Plan again`,
    );
  }
  if (service?.status === "stopping") {
    return refused("conflict", `service ${spec.name} is stopping; apply again once it is stopped`);
  }
  if (!service && context.draft.all("service").length >= SERVICES_PER_PROJECT_MAX) {
    return refused("too_many", `a project has at most ${SERVICES_PER_PROJECT_MAX} services; delete one first`);
  }
  for (const name of passedVariables(spec)) {
    if (sealed[name] === undefined) {
      return refused("invalid_config", `env: ${name} is passed through, but no value came with the request`);
    }
  }
  for (const group of spec.groups) {
    if (group.count.max > REPLICAS_PER_GROUP_MAX) {
      return refused("too_many", `group ${group.name}: at most ${REPLICAS_PER_GROUP_MAX} replicas`);
    }
    const elsewhere = foreignFleet(group, context.draft.state.project);
    if (elsewhere) {
      return refused(
        "invalid_config",
        `group ${group.name}: fleet ${elsewhere.project}/${elsewhere.name} belongs to another project, whose hosts cannot be used here; name a fleet of this one`,
      );
    }
    if (group.nodes > 1) {
      return refused(
        "invalid_config",
        `group ${group.name}: \`nodes: ${group.nodes}\` is understood, but replicas that span several hosts cannot be run yet; leave \`nodes\` out, or write 1`,
      );
    }
    if (group.router && !routerAdapter(group.router.type)) {
      return refused(
        "invalid_config",
        `group ${group.name}: router type ${group.router.type} is not supported yet; use smg`,
      );
    }
  }
  return (
    refuseSecrets(context, input) ?? (service?.status === "running" ? refuseChange(context, service, input) : null)
  );
}

/** A running service may only change in the ways that there are. */
function refuseChange({ draft }: StepContext, service: ServiceEntity, wanted: Revised): Answer | null {
  const changes = plannedChanges(currentRevision(draft, service), wanted);
  const message = refusalOfChanges(service.id, changes);
  return message === null ? null : refused("conflict", message);
}

function notFound(name: string): Answer {
  return refused("not_found", `there is no service ${name}: see headrace ps`);
}
