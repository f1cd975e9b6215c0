import { type AddCommand, confirm, connect, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";

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
      if (!(await confirm(io, `Delete ${name} for good?`, options.yes ?? false))) {
        note(io, "Nothing was deleted.");
        context.exitCode = EXIT.failed;
        return;
      }
      const answer = await client.delete(name);
      if (options.json) printJson(io, answer);
      else printLine(io, `Deleted ${name}.`);
    });
};
