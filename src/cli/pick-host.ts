import type { Command } from "commander";
import type { HostView } from "../control/views/views.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

/** Adds the argument that says which host is meant. */
export function withHost(command: Command): Command {
  return command.argument("<host>", "a host's id, or its name if no other has it");
}

/** @throws CliError when no host or more than one is meant */
export function pickHost(hosts: HostView[], name: string): HostView {
  const byId = hosts.find((host) => host.id === name);
  const byName = hosts.filter((host) => host.name === name);
  if (byId) return byId;
  if (byName.length > 1) {
    const ids = byName.map((host) => host.id).join(", ");
    throw new CliError(EXIT.usage, `${byName.length} hosts are named ${name}: give the id of one, ${ids}.`);
  }
  if (!byName[0]) throw new CliError(EXIT.notFound, `There is no host ${name}: see headrace host list.`);
  return byName[0];
}
