import { ApiError, type Client } from "../../api/client.ts";
import type { TokenRevokeAnswer, TokenView } from "../../control/views/views.ts";
import { type AddCommand, agreed, connect, note, printJson, printLine } from "../context.ts";
import { pickToken, refuseTokenItself } from "../pick-token.ts";
import { oneLine } from "../style.ts";
import { table } from "../table.ts";
import { showInstant } from "../time-span.ts";

export const addTokenList: AddCommand = (token, { io }) => {
  token
    .command("list")
    .description("Show the tokens of the project that can be used; never their values; admins only")
    .option("--all", "also those that have expired, were revoked, or have let their host join")
    .option("--json", "one JSON document, with all of them")
    .addHelpText("after", "\nHosts' own credentials are not among them.\n\nExamples:\n  headrace token list")
    .action(async (options: { all?: boolean; json?: boolean }) => {
      const { client } = await connect(io);
      const tokens = await client.tokens();
      if (options.json) return printJson(io, tokens);
      const shown = tokens.filter(({ state }) => state === "usable" || options.all);
      for (const line of tokenTable(shown)) printLine(io, line);
      const hidden = tokens.length - shown.length;
      if (hidden > 0) note(io, `${hidden} more can be used no longer: headrace token list --all`);
    });
};

export const addTokenRevoke: AddCommand = (token, context) => {
  const { io } = context;
  token
    .command("revoke")
    .description("Revoke a token, so that nobody can use it any more; admins only")
    .argument("<token>", "a token's id, or its name if no other has it")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      "\nRequests with it are refused from then on. What is under way, as a stream that is followed, goes on to its end.\n" +
        "The last admin's token that can be used is not revoked: make another first.\n\nExamples:\n" +
        "  headrace token revoke ci\n  headrace token revoke 5f0c2a8e91d34b7f6a1e0d2c -y",
    )
    .action(async (word: string, options: { yes?: boolean; json?: boolean }) => {
      refuseTokenItself(word);
      const { client } = await connect(io);
      const meant = pickToken(await client.tokens(), word);
      const own = meant.own ? " It is the one that you use now." : "";
      if (!(await agreed(context, options, "revoked", `Revoke ${described(meant)} for good?${own}`))) return;
      const answer = await revoked(client, meant);
      if (options.json) return printJson(io, answer);
      printLine(io, `Revoked ${described(meant)}.`);
      if (answer.own) note(io, "It was the one that you used: `headrace login` keeps another.");
    });
};

/** Where the answer was lost, a token that revoked itself is refused when the request is sent again. */
async function revoked(client: Client, { id, name, kind, own }: TokenView): Promise<TokenRevokeAnswer> {
  try {
    return await client.revokeToken(id);
  } catch (error) {
    if (!own || !(error instanceof ApiError) || error.status !== 401) throw error;
    return { token: id, name, kind, own };
  }
}

/** e.g. `ci (member, made 2026-01-02T03:04:05Z)`. */
function described({ name, kind, createdAt }: TokenView): string {
  return `${oneLine(name)} (${kind}, made ${showInstant(createdAt)})`;
}

/** When hosts joined is a column where one has. */
function tokenTable(tokens: TokenView[]): string[] {
  const someJoined = tokens.some(({ usedAt }) => usedAt !== null);
  const rows = tokens.map(({ id, name, kind, fleet, createdAt, madeBy, expiresAt, usedAt, state, own }) => [
    oneLine(name),
    `${kind}${fleet === null ? "" : ` (${fleet})`}${own ? ", yours" : ""}`,
    showInstant(createdAt),
    madeBy === null ? "-" : oneLine(madeBy),
    state === "revoked" ? state : expiresAt === null ? "never" : showInstant(expiresAt),
    ...(someJoined ? [usedAt === null ? "-" : showInstant(usedAt)] : []),
    id,
  ]);
  return table([["NAME", "KIND", "CREATED", "BY", "EXPIRES", ...(someJoined ? ["JOINED"] : []), "ID"], ...rows]);
}
