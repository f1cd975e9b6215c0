import { type AddCommand, agreed, connect, note, printJson, printLine } from "../context.ts";
import { hostLines, hostTable } from "../host-lines.ts";
import { pickHost, withHost } from "../pick-host.ts";
import { colorsFor, oneLine } from "../style.ts";
import { addDrain } from "./host-drain.ts";
import { addFiles } from "./host-files.ts";
import { addJoin } from "./host-join.ts";
import { addLeave } from "./host-leave.ts";

export const addHost: AddCommand = (program, context) => {
  const host = program.command("host").description("Add hosts, show them, take them out, give them back, forget them");
  addJoin(host, context);
  addList(host, context);
  addShow(host, context);
  addCordon(host, context);
  addDrain(host, context);
  addUncordon(host, context);
  addRemove(host, context);
  addLeave(host, context);
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

const addShow: AddCommand = (host, { io }) => {
  withHost(host.command("show").description("Show all of one host: what it has, what runs there, what is wrong"))
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExamples:\n  headrace host show gpu-7")
    .action(async (name: string, options: { json?: boolean }) => {
      const { client } = await connect(io);
      const view = await client.host(pickHost(await client.hosts(), name).id);
      if (options.json) return printJson(io, view);
      for (const line of hostLines(view, io.now(), colorsFor(io.stdout, io.env))) printLine(io, line);
    });
};

const addCordon: AddCommand = (host, { io }) => {
  withHost(host.command("cordon").description("Give a host nothing new; what runs there goes on"))
    .option("--reason <text>", "why, for whoever looks at it", "")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", '\nExamples:\n  headrace host cordon gpu-7 --reason "new disk on Monday"')
    .action(async (name: string, options: { reason: string; json?: boolean }) => {
      const { client } = await connect(io);
      const found = pickHost(await client.hosts(), name);
      const answer = await client.cordonHost(found.id, options.reason);
      if (options.json) printJson(io, answer);
      else printLine(io, `Cordoned ${oneLine(found.name)}. \`headrace host uncordon\` gives it back.`);
    });
};

const addUncordon: AddCommand = (host, { io }) => {
  withHost(host.command("uncordon").description("Give a host back that was cordoned or drained"))
    .option("--json", "print the answer as JSON")
    .addHelpText("after", "\nExamples:\n  headrace host uncordon gpu-7")
    .action(async (name: string, options: { json?: boolean }) => {
      const { client } = await connect(io);
      const found = pickHost(await client.hosts(), name);
      const answer = await client.uncordonHost(found.id);
      if (options.json) printJson(io, answer);
      else printLine(io, `${oneLine(found.name)} is given back.`);
    });
};

const addRemove: AddCommand = (host, context) => {
  const { io } = context;
  withHost(host.command("remove").description("Forget a host and its credential"))
    .option("--force", "although it has jobs: for a machine that is gone for good; what it held is free again")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      "\nOne that runs something is drained first (`headrace host drain`). With --force, if the machine is not gone\n" +
        "after all, stop its agent first: its jobs run on until then, unknown to the server.\n" +
        "\nExamples:\n  headrace host remove gpu-7\n  headrace host remove gpu-7-3f21c9d0 --force -y",
    )
    .action(async (name: string, options: { force?: boolean; yes?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      const found = pickHost(await client.hosts(), name);
      const question = options.force
        ? `Forget ${oneLine(found.name)} and the ${found.jobs} jobs on it?`
        : `Forget ${oneLine(found.name)}?`;
      if (!(await agreed(context, options, "removed", question))) return;
      const answer = await client.removeHost(found.id, options.force ?? false);
      if (options.json) printJson(io, answer);
      else printLine(io, `Removed ${oneLine(found.name)} (${found.id}).`);
    });
};
