import type { Input } from "../../core/input.ts";
import { carriedOut, requireAdmin, whenDone } from "../answers.ts";
import type { Once } from "../once.ts";
import type { Project } from "../project.ts";
import { type Caller, ControlError } from "../types.ts";
import type { HostChangeAnswer } from "../views/views.ts";

export function cordonHost(
  once: Once,
  caller: Caller,
  host: string,
  how: { drain: boolean; reason: string },
  key: string,
): Promise<HostChangeAnswer> {
  const input = { kind: "host_cordoned" as const, host, ...how, actor: caller.name };
  return changeHost(once, caller, how.drain ? "drain host" : "cordon host", input, key);
}

export function uncordonHost(once: Once, caller: Caller, host: string, key: string): Promise<HostChangeAnswer> {
  return changeHost(once, caller, "uncordon host", { kind: "host_uncordoned", host }, key);
}

export async function removeHost(
  once: Once,
  project: Project,
  caller: Caller,
  { host, force }: { host: string; force: boolean },
  key: string,
): Promise<HostChangeAnswer> {
  const removed = await changeHost(once, caller, "remove host", { kind: "host_removed", host, force }, key);
  await project.hostRemoved(host);
  return removed;
}

/** @throws ControlError `forbidden` to anybody but a host, `not_found` once it has left */
export async function leaveHost(project: Project, { kind, subject: host, name }: Caller): Promise<void> {
  if (kind !== "host" || host === null) throw new ControlError("forbidden", "only a host's own credential leaves");
  const input = { kind: "host_left" as const, host };
  const { answer } = await project.controller.submit({ input, id: null, cause: "leave", actor: name });
  carriedOut(answer, "done");
  await project.hostRemoved(host);
}

async function changeHost(
  once: Once,
  caller: Caller,
  cause: string,
  input: Extract<Input, { kind: "host_cordoned" | "host_uncordoned" | "host_removed" }>,
  key: string,
): Promise<HostChangeAnswer> {
  requireAdmin(caller, "change hosts");
  return once(caller, cause, key, input, async () => ({
    input,
    toAnswer: whenDone({ host: input.host }),
  }));
}
