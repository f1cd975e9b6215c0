import { whoAmI } from "../../api/client.ts";
import { type AddCommand, note, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import type { Io } from "../io.ts";
import { readSettings, serverUrl, withServer, writeSettings } from "../settings.ts";

/** Tokens have some 50 characters. */
const TOKEN_CHARS_MAX = 4_096;

export const addLogin: AddCommand = (program, { io }) => {
  program
    .command("login")
    .description("Keep a server's address and a token for it; later commands mean this server")
    .requiredOption("--server <url>", "the server's address, e.g. http://127.0.0.1:3000")
    .option("--token-stdin", "read the token from standard input instead of asking for it")
    .option("--json", "print server, project, kind and name as JSON")
    .addHelpText(
      "after",
      "\nA token is not taken as an argument: other users of the machine could read it there.\n\nExamples:\n" +
        "  headrace login --server https://headrace.example.com\n  headrace login --server URL --token-stdin < token.txt",
    )
    .action(async (options: { server: string; tokenStdin?: boolean; json?: boolean }) => {
      const server = serverUrl(options.server, "--server");
      if (isClear(server)) note(io, `warning: ${server} is not encrypted: the token crosses the network in the clear.`);
      const token = await readToken(io, options.tokenStdin ?? false);
      const me = await whoAmI({ server, token, fetch: io.fetch, signal: io.interrupted, sleep: io.sleep });
      const settings = withServer(await readSettings(io.env), { server, token, project: me.project }, true);
      const path = await writeSettings(io.env, settings);
      if (options.json) return printJson(io, { server, ...me });
      printLine(io, `Logged in to ${server} as ${me.name} (${me.kind}), project ${me.project}. Kept in ${path}.`);
    });
};

async function readToken(io: Io, fromStdin: boolean): Promise<string> {
  if (!fromStdin && !io.stdin.isTTY) {
    throw new CliError(
      EXIT.usage,
      "There is no terminal to ask at.",
      "Give --token-stdin and the token on standard input.",
    );
  }
  const text = fromStdin
    ? await io.stdin.readAll(TOKEN_CHARS_MAX)
    : await io.stdin.ask("Token: ", { hidden: true, signal: io.interrupted });
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError(EXIT.usage, "That is not a token.", "An admin makes one with `headrace token create`.");
}

function isClear(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === "http:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
