import type { FleetView } from "../../control/views/views-fleet.ts";
import { buildText } from "../build-text.ts";
import { type AddCommand, agreed, connect, note, printJson, printLine } from "../context.ts";
import { oneLine } from "../style.ts";
import { table } from "../table.ts";

export const addFleet: AddCommand = (program, context) => {
  const fleet = program
    .command("fleet")
    .description("List fleets, delete one; `headrace apply` makes and changes them");
  addList(fleet, context);
  addDelete(fleet, context);
};

const addList: AddCommand = (fleet, { io }) => {
  fleet
    .command("list")
    .description("Show the project's fleets and what jobs may do there")
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExamples:\n  headrace fleet list")
    .action(async (options: { json?: boolean }) => {
      const { client } = await connect(io);
      const fleets = await client.fleets();
      if (options.json) return printJson(io, fleets);
      if (fleets.length === 0) return note(io, "No fleets yet. `headrace apply -f FILE` makes one.");
      for (const line of fleetTable(fleets)) printLine(io, line);
      for (const { name, agent } of fleets) {
        if (agent.message !== "") printLine(io, `${oneLine(name)}: ${oneLine(agent.message)}.`);
      }
    });
};

const addDelete: AddCommand = (fleet, context) => {
  const { io } = context;
  fleet
    .command("delete")
    .description("Delete a fleet that no host is in")
    .argument("<fleet>", "a fleet's name")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", "\nExamples:\n  headrace fleet delete rack-1 -y")
    .action(async (name: string, options: { yes?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      if (!(await agreed(context, options, "deleted", `Delete fleet ${name} with what its file said?`))) return;
      const answer = await client.deleteFleet(name);
      if (options.json) printJson(io, answer);
      else printLine(io, `Deleted fleet ${name}.`);
    });
};

function fleetTable(fleets: FleetView[]): string[] {
  const rows = fleets.map(({ name, hosts, ssh, allow, overcommit, blocks, agent }) => [
    oneLine(name),
    String(hosts),
    ssh === null ? "-" : String(ssh.hosts.length),
    allow.privileged ? "yes" : "no",
    allow.hostPaths.includes("/") ? "any" : allow.hostPaths.map(oneLine).join(" ") || "none",
    allow.processes ? "yes" : "no",
    overcommit ? "yes" : "no",
    String(blocks),
    agentText(agent),
  ]);
  return table([
    ["NAME", "HOSTS", "IN FILE", "PRIVILEGED", "HOST PATHS", "PROCESSES", "OVERCOMMIT", "BLOCKS", "AGENT"],
    ...rows,
  ]);
}

/** Which build its hosts are to run, and how many of those that can update themselves do. */
function agentText({ version, build, updatable, current }: FleetView["agent"]): string {
  if (build === null) return version === "hold" ? "hold" : "-";
  const name = buildText(build);
  return updatable === 0 ? name : `${name} on ${current} of ${updatable}`;
}
