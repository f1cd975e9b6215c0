import { type AddCommand, agreed, connect, printJson, printLine } from "../context.ts";

export const addDelete: AddCommand = (program, context) => {
  const { io } = context;
  program
    .command("delete")
    .description("Delete a stopped service with its revisions and sealed values")
    .argument("<service>", "a service's name")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", "\nExamples:\n  headrace stop chat && headrace delete chat -y")
    .action(async (name: string, options: { yes?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      if (!(await agreed(context, options, "deleted", `Delete ${name} for good?`))) return;
      const answer = await client.delete(name);
      if (options.json) printJson(io, answer);
      else printLine(io, `Deleted ${name}.`);
    });
};
