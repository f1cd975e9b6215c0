import type { ReplicaView, ServiceView } from "../control/views/views.ts";
import { type Colors, oneLine } from "./style.ts";
import { table } from "./table.ts";
import { showSpan } from "./time-span.ts";

/** `ps`: one row per service. */
export function serviceList(services: ServiceView[], colors: Colors): string[] {
  const head = ["NAME", "STATUS", "READY", "REVISION", "MODEL", "MESSAGE"].map(colors.bold);
  const rows = services.map((service) => [
    service.name,
    serviceStatus(service, colors),
    service.groups.map((group) => `${group.name} ${group.ready}/${group.wanted}`).join(", "),
    String(service.revision),
    oneLine(service.model ?? "-"),
    oneLine(service.message),
  ]);
  return table([head, ...rows]);
}

/** `ps <service>` and the progress of an apply: its groups, and under each its replicas. */
export function serviceTable(service: ServiceView, now: number, colors: Colors): string[] {
  const rows = service.groups.flatMap((group) => [
    [group.name, `${group.ready}/${group.wanted} ready`],
    ...service.replicas
      .filter((replica) => replica.group === group.name)
      .map((replica) => [
        `  ${replica.id}`,
        paint(replica.status, colors),
        place(replica),
        showSpan(now - replica.since),
        [replicaMessage(replica), unreachedText(replica, now)].filter((text) => text !== "").join("; "),
      ]),
  ]);
  const head = ["GROUP / REPLICA", "STATUS", "PLACE", "SINCE", "MESSAGE"].map(colors.bold);
  return table([head, ...rows]);
}

/** Status and what it waits for, on one line. */
export function serviceHeadline(service: ServiceView, colors: Colors): string {
  const waits = service.message === "" ? "" : `: ${oneLine(service.message)}`;
  return `${colors.bold(service.name)} revision ${service.revision}, ${serviceStatus(service, colors)}${waits}`;
}

/** Why a replica is where it is: what its agent says now, else why it entered its status. */
export function replicaMessage(replica: ReplicaView): string {
  return oneLine(replica.observed?.message || replica.reason);
}

/** Which way between it and others of its service is closed, whatever it does. */
function unreachedText({ unreached }: ReplicaView, now: number): string {
  return unreached === null ? "" : `${oneLine(unreached.message)}, for ${showSpan(now - unreached.since)}`;
}

function serviceStatus(service: ServiceView, colors: Colors): string {
  if (service.status !== "running") return service.status;
  return service.ready ? colors.green("ready") : colors.yellow("not ready");
}

function paint(status: ReplicaView["status"], colors: Colors): string {
  if (status === "ready") return colors.green(status);
  return status === "suspect" ? colors.red(status) : colors.yellow(status);
}

function place(replica: ReplicaView): string {
  if (replica.host === null) return "-";
  const gpus = replica.accelerators.length === 0 ? "" : ` gpu ${replica.accelerators.join(",")}`;
  return `${replica.host}${replica.port === null ? "" : `:${replica.port}`}${gpus}`;
}
