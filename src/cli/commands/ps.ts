import { type AddCommand, connect, note, printJson, printLine } from "../context.ts";
import { serviceHeadline, serviceList, serviceTable } from "../service-table.ts";
import { colorsFor } from "../style.ts";

export const addPs: AddCommand = (program, { io }) => {
  program
    .command("ps")
    .description("Show services, or one with its groups and replicas")
    .argument("[service]", "a service's name")
    .option("--json", "one JSON document: all services, or the one")
    .addHelpText("after", "\nExamples:\n  headrace ps\n  headrace ps chat\n  headrace ps --json | jq '.[].name'")
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { client } = await connect(io);
      const colors = colorsFor(io.stdout, io.env);
      if (name === undefined) {
        const services = await client.services();
        if (options.json) return printJson(io, services);
        if (services.length === 0) return note(io, "No services yet. `headrace apply -f FILE` makes one.");
        for (const line of serviceList(services, colors)) printLine(io, line);
        return;
      }
      const service = await client.service(name);
      if (options.json) return printJson(io, service);
      printLine(io, serviceHeadline(service, colors));
      for (const line of serviceTable(service, io.now(), colors)) printLine(io, line);
    });
};
