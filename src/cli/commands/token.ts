import { type AddCommand, connect, lifeFlag, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import type { Io } from "../io.ts";
import { showInstant } from "../time-span.ts";
import { addTokenList, addTokenRevoke } from "./token-revoke.ts";

interface CreateFlags {
  host?: boolean;
  fleet?: string;
  member?: boolean;
  name?: string;
  expires?: number;
  json?: boolean;
  local?: boolean;
  dataDir?: string;
}

export const addToken: AddCommand = (program, context) => {
  const { io } = context;
  const token = program.command("token").description("Make, list and revoke tokens");

  token
    .command("create")
    .description("Make a token and show it this once; an admin's unless a flag says otherwise")
    .option("--host", "a one-time token with which one host joins a fleet; an hour unless --expires says otherwise")
    .option("--fleet <fleet>", "the fleet that the host joins (with --host)")
    .option("--member", "a member's: may apply, stop and delete services, and make no tokens")
    .option("--name <name>", "whose it is, as the journal will say")
    .option("--expires <span>", "how long it is good for, e.g. 12h or 90d", lifeFlag)
    .option("--local", "an admin's, made in the server's own database on its machine: for when all tokens are lost")
    .option("--data-dir <folder>", "the server's data folder (with --local; default as for `headrace server`)")
    .option("--json", "print id, token and expiry as JSON")
    .addHelpText(
      "after",
      "\nThe token alone goes to standard output. `headrace host join` makes one for a host in a line to paste there.\n" +
        "\nExamples:\n  headrace token create --host --fleet h100\n" +
        "  headrace token create --member --name ci --expires 90d",
    )
    .action(async (options: CreateFlags) => {
      const kind = kindOf(options);
      if (options.local) return printLocalToken(io, options);
      const { client, target } = await connect(io);
      const answer = await client.createToken({
        kind,
        name: options.name ?? kind,
        ...(options.fleet === undefined ? {} : { fleet: options.fleet }),
        ...(options.expires === undefined ? {} : { expiresInS: options.expires / 1_000 }),
      });
      if (options.json) return printJson(io, answer);
      printLine(io, answer.token);
      const until = answer.expiresAt === null ? "It does not expire" : `It expires at ${showInstant(answer.expiresAt)}`;
      note(io, `${until}, and is not shown again.`);
      if (kind === "join") {
        note(io, "`headrace host join` prints a whole line that installs the agent. With a checkout on the host:");
        note(io, `HEADRACE_JOIN_TOKEN=<it> headrace agent --server ${target.server}`);
      }
    });

  addTokenList(token, context);
  addTokenRevoke(token, context);

  token
    .command("show")
    .description("Print the token that commands use now, for scripts and curl")
    .addHelpText("after", '\nExamples:\n  curl -H "Authorization: Bearer $(headrace token show)" ...')
    .action(async () => printLine(io, (await connect(io)).target.token));
};

/** Needs no server and no token: the data folder itself is what only the server's owner can write. */
async function printLocalToken(io: Io, options: CreateFlags): Promise<void> {
  const { createLocalToken } = await import("../../node.ts");
  const made = await createLocalToken(options.dataDir ?? null, options.name ?? "made on the server");
  if (options.json) return printJson(io, { ...made, expiresAt: null });
  printLine(io, made.token);
  note(io, "It does not expire, and is not shown again. Keep it with `headrace login`.");
}

function kindOf(options: CreateFlags): "admin" | "member" | "join" {
  if (options.host && options.member) throw new CliError(EXIT.usage, "Give --host or --member, not both.");
  if (options.local && (options.host || options.member)) {
    throw new CliError(EXIT.usage, "--local makes an admin's token; --host and --member do not go with it.");
  }
  if (options.dataDir !== undefined && !options.local) throw new CliError(EXIT.usage, "--data-dir goes with --local.");
  if (options.fleet !== undefined && !options.host) throw new CliError(EXIT.usage, "--fleet goes with --host.");
  if (options.host) return "join";
  return options.member ? "member" : "admin";
}
