import type { ServiceView } from "../control/views/views.ts";
import { replicaMessage } from "./service-table.ts";

/** How waiting for a service ends. */
export type Verdict = { kind: "done" } | { kind: "failed"; reason: string } | { kind: "waiting" };

/**
 * Whether a service is as an apply wanted it.
 * @param view null when there is no such service
 * @param revision the one that was applied
 */
export function readyVerdict(view: ServiceView | null, revision: number): Verdict {
  if (view === null) return { kind: "failed", reason: "it was deleted" };
  if (view.revision > revision) {
    return { kind: "failed", reason: `another apply has made revision ${view.revision} of it` };
  }
  if (view.revision < revision) return { kind: "waiting" };
  if (view.status !== "running") return { kind: "failed", reason: "it was stopped" };
  return view.ready ? { kind: "done" } : { kind: "waiting" };
}

/** Whether a service has stopped. */
export function stoppedVerdict(view: ServiceView | null): Verdict {
  if (view === null || view.status === "stopped") return { kind: "done" };
  return view.status === "running" ? { kind: "failed", reason: "it was applied again" } : { kind: "waiting" };
}

/** What is new in a view, a line for each thing, for where a table cannot be redrawn. */
export function changeLines(before: ServiceView | null, after: ServiceView): string[] {
  const lines: string[] = [];
  const known = new Map(before?.replicas.map((replica) => [replica.id, replica]));
  for (const replica of after.replicas) {
    const old = known.get(replica.id);
    known.delete(replica.id);
    const message = replicaMessage(replica);
    if (old !== undefined && old.status === replica.status && replicaMessage(old) === message) continue;
    lines.push(`${replica.id}: ${replica.status}${message === "" ? "" : `, ${message}`}`);
  }
  for (const id of known.keys()) lines.push(`${id}: gone`);
  for (const group of after.groups) {
    const old = before?.groups.find((one) => one.name === group.name);
    if (old?.ready === group.ready && old.wanted === group.wanted) continue;
    lines.push(`group ${group.name}: ${group.ready}/${group.wanted} ready`);
  }
  return lines;
}
