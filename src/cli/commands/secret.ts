import type { SecretView } from "../../control/views/views.ts";
import { type AddCommand, agreed, connect, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import type { Io } from "../io.ts";
import { oneLine } from "../style.ts";
import { table } from "../table.ts";
import { showInstant } from "../time-span.ts";

/** What the server takes, with room for the line end that is taken off. */
const INPUT_CHARS_MAX = 16 * 1024 + 2;

export const addSecret: AddCommand = (program, context) => {
  const secret = program.command("secret").description("Keep values that configurations name and do not hold");
  addSet(secret, context);
  addList(secret, context);
  addDelete(secret, context);
};

const addSet: AddCommand = (secret, { io }) => {
  secret
    .command("set")
    .description("Give a secret a value, read from standard input or asked for; admins only")
    .argument("<name>", "what a file names as ${{ secrets.NAME }}")
    .option("--json", "print the answer as JSON")
    .allowExcessArguments()
    .addHelpText(
      "after",
      "\nThe value is not taken as an argument: other users of the machine could read it there, and shells keep it. One line\n" +
        "end at its end is not part of it. What runs keeps the value that it has until it is applied again.\n\nExamples:\n" +
        "  headrace secret set HF_TOKEN\n  headrace secret set TLS_KEY < key.pem",
    )
    .action(async (name: string, options: { json?: boolean }, command: { args: string[] }) => {
      refuseValue(name, command.args);
      const { client } = await connect(io);
      const answer = await client.setSecret(name, await readValue(io, name));
      if (options.json) printJson(io, answer);
      else printLine(io, `Set ${name}. What names it gets this value at its next \`headrace apply\`.`);
    });
};

const addList: AddCommand = (secret, { io }) => {
  secret
    .command("list")
    .description("Show the secrets of the project, when and by whom they were set, and what uses them; never values")
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExamples:\n  headrace secret list")
    .action(async (options: { json?: boolean }) => {
      const { client } = await connect(io);
      const secrets = await client.secrets();
      if (options.json) return printJson(io, secrets);
      if (secrets.length === 0) return note(io, "No secrets yet. `headrace secret set NAME` sets one.");
      for (const line of secretTable(secrets)) printLine(io, line);
    });
};

const addDelete: AddCommand = (secret, context) => {
  const { io } = context;
  secret
    .command("delete")
    .description("Delete a secret that no running service uses; admins only")
    .argument("<name>", "a secret's name")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", "\nExamples:\n  headrace secret delete HF_TOKEN -y")
    .action(async (name: string, options: { yes?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      if (!(await agreed(context, options, "deleted", `Delete the secret ${name} for good?`))) return;
      const answer = await client.deleteSecret(name);
      if (options.json) printJson(io, answer);
      else printLine(io, `Deleted ${name}.`);
    });
};

/** A value on the command line is known to others by now. It is not repeated. @throws CliError */
function refuseValue(name: string, args: string[]): void {
  if (!name.includes("=") && args.length < 2) return;
  throw new CliError(
    EXIT.usage,
    "A value is not taken from the command line: other users of the machine can read it there, and your shell keeps it.",
    "Nothing was sent. Take the line out of your shell's history, and give `headrace secret set NAME` the value on standard input.",
  );
}

async function readValue(io: Io, name: string): Promise<string> {
  const text = io.stdin.isTTY
    ? await io.stdin.ask(`Value of ${name}: `, { hidden: true, signal: io.interrupted })
    : await io.stdin.readAll(INPUT_CHARS_MAX);
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw new CliError(EXIT.usage, "There is no value: what was given is empty.");
  return value;
}

function secretTable(secrets: SecretView[]): string[] {
  const rows = secrets.map(({ name, setAt, setBy, services }) => [
    name,
    showInstant(setAt),
    oneLine(setBy),
    services.map((service) => (service.isCurrent ? service.name : `${service.name} (an older value)`)).join(", ") ||
      "-",
  ]);
  return table([["NAME", "SET", "BY", "USED BY"], ...rows]);
}
