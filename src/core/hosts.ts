import type { Answer, Input } from "./input.ts";
import { HOSTS_PER_PROJECT_MAX } from "./limits.ts";
import type { HostEntity } from "./state.ts";
import type { StepContext } from "./step.ts";

export function hostJoined(context: StepContext, input: Extract<Input, { kind: "host_joined" }>): Answer {
  const { draft, now } = context;
  if (draft.get("host", input.host)) return { kind: "done" };
  if (draft.all("host").length >= HOSTS_PER_PROJECT_MAX) {
    return { kind: "refused", code: "too_many", message: `a project has at most ${HOSTS_PER_PROJECT_MAX} hosts` };
  }
  const host: HostEntity = {
    kind: "host",
    id: input.host,
    name: input.name,
    fleet: input.fleet,
    machine: input.machine,
    inventory: input.inventory,
    silentSince: null,
    joinedAt: now,
  };
  draft.put(host);
  draft.event({ type: "host.joined", host: host.id, message: `${host.name} joined fleet ${host.fleet}` });
  context.roomFreed = true;
  return { kind: "done" };
}

/** A host said something: its services are looked at, and it is not silent any more. */
export function hostReported(context: StepContext, id: string): Answer {
  const { draft } = context;
  const host = draft.get("host", id);
  const observed = draft.state.observed.get(id);
  if (!host || !observed) return { kind: "refused", code: "not_found", message: `there is no host ${id}` };
  const { inventory } = observed.report;
  const changed = JSON.stringify(inventory) !== JSON.stringify(host.inventory);
  if (changed || host.silentSince !== null) {
    draft.put({ ...host, inventory, silentSince: null });
    if (changed)
      draft.event({ type: "host.changed", host: id, message: `${host.name} has other resources than before` });
    if (host.silentSince !== null) draft.event({ type: "host.returned", host: id, message: `${host.name} is back` });
    context.roomFreed = true;
  }
  touchServicesOn(context, id);
  return { kind: "done" };
}

/** Starts the clock of a host that runs something and is not heard of. Idle hosts may be silent. */
export function hostSilent(context: StepContext, id: string): Answer {
  const { draft, now } = context;
  const host = draft.get("host", id);
  if (!host || host.silentSince !== null || draft.by("job", "host", id).length === 0) return { kind: "done" };
  draft.put({ ...host, silentSince: now });
  draft.event({ type: "host.silent", host: id, message: `${host.name} is not heard of` });
  touchServicesOn(context, id);
  return { kind: "done" };
}

function touchServicesOn(context: StepContext, host: string): void {
  for (const job of context.draft.by("job", "host", host)) context.touched.add(job.service);
}
