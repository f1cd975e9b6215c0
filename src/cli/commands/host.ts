import type { HostView } from "../../control/views.ts";
import { type AddCommand, confirm, connect, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { type Colors, colorsFor, oneLine } from "../style.ts";
import { table } from "../table.ts";
import { showSpan } from "../time-span.ts";
import { addFiles } from "./host-files.ts";
import { addJoin } from "./host-join.ts";

export const addHost: AddCommand = (program, context) => {
  const host = program.command("host").description("Add hosts, list them, forget one");
  addJoin(host, context);
  addList(host, context);
  addRemove(host, context);
  addFiles(host, context);
};

const addList: AddCommand = (host, { io }) => {
  host
    .command("list")
    .description("Show the hosts of the project's fleets")
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  headrace host list\n  headrace host list --json | jq '.[] | select(.online | not)'",
    )
    .action(async (options: { json?: boolean }) => {
      const { client } = await connect(io);
      const hosts = await client.hosts();
      if (options.json) return printJson(io, hosts);
      if (hosts.length === 0) return note(io, "No hosts yet. `headrace host join` prints what to run on one.");
      for (const line of hostTable(hosts, io.now(), colorsFor(io.stdout, io.env))) printLine(io, line);
    });
};

const addRemove: AddCommand = (host, context) => {
  const { io } = context;
  host
    .command("remove")
    .description("Forget a host and its credential")
    .argument("<host>", "a host's id, or its name if no other has it")
    .option("--force", "although it has jobs: for a machine that is gone for good; what it held is free again")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      "\nIf the machine is not gone after all, stop its agent first: its jobs run on until then, unknown to the server.\n" +
        "\nExamples:\n  headrace host remove gpu-7\n  headrace host remove gpu-7-3f21c9d0 --force -y",
    )
    .action(async (name: string, options: { force?: boolean; yes?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      const found = pick(await client.hosts(), name);
      const question = options.force
        ? `Forget ${oneLine(found.name)} and the ${found.jobs} jobs on it?`
        : `Forget ${oneLine(found.name)}?`;
      if (!(await confirm(io, question, options.yes ?? false))) {
        note(io, "Nothing was removed.");
        context.exitCode = EXIT.failed;
        return;
      }
      const answer = await client.removeHost(found.id, options.force ?? false);
      if (options.json) printJson(io, answer);
      else printLine(io, `Removed ${oneLine(found.name)} (${found.id}).`);
    });
};

/** @throws CliError when no host or more than one is meant */
function pick(hosts: HostView[], name: string): HostView {
  const byId = hosts.find((host) => host.id === name);
  const byName = hosts.filter((host) => host.name === name);
  if (byId) return byId;
  if (byName.length > 1) {
    const ids = byName.map((host) => host.id).join(", ");
    throw new CliError(EXIT.usage, `${byName.length} hosts are named ${name}: give the id of one, ${ids}.`);
  }
  if (!byName[0]) throw new CliError(EXIT.failed, `There is no host ${name}: see headrace host list.`);
  return byName[0];
}

function hostTable(hosts: HostView[], now: number, colors: Colors): string[] {
  const rows = hosts.map((host) => [
    host.id,
    oneLine(host.name),
    oneLine(host.fleet),
    describeState(host, now, colors),
    oneLine(host.address),
    String(host.accelerators.length),
    String(host.jobs),
  ]);
  return table([["ID", "NAME", "FLEET", "STATE", "ADDRESS", "ACCELERATORS", "JOBS"], ...rows]);
}

function describeState(host: HostView, now: number, colors: Colors): string {
  if (host.silentSince !== null) {
    const since = `silent for ${showSpan(now - host.silentSince)}`;
    return colors.red(host.frozen ? `${since}, like most of its fleet` : since);
  }
  return host.online ? colors.green("online") : colors.dim("offline");
}
