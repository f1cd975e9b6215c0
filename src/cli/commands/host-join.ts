import { pasteLine } from "../../install/paste-line.ts";
import { type AddCommand, connect, lifeFlag, note, printJson, printLine } from "../context.ts";
import { fetchInstallScript, installSource, warnOfLoopback } from "../install-source.ts";
import { showInstant } from "../time-span.ts";

interface JoinFlags {
  fleet: string;
  name?: string;
  expires?: number;
  server?: string;
  from?: string;
  json?: boolean;
}

export const addJoin: AddCommand = (host, { io }) => {
  host
    .command("join")
    .description("Print one line that installs the agent on the host where it is pasted, and joins it to a fleet")
    .option("--fleet <fleet>", "the fleet to join", "default")
    .option("--name <name>", "what the host is called (default: its hostname)")
    .option("--expires <span>", "for how long the line is good (default 1h)", lifeFlag)
    .option("--server <url>", "the server's address as the host reaches it, if it is another than yours")
    .option("--from <url>", "the folder to install from (default: /install of the server)")
    .option("--json", "print line, token, fleet and expiry as JSON")
    .addHelpText(
      "after",
      "\nThe line is good for one host, once. It alone goes to standard output.\n\nExamples:\n" +
        "  headrace host join --fleet h100\n  headrace host join --server https://headrace.example.com --expires 15m",
    )
    .action(async (flags: JoinFlags) => {
      const { client, target } = await connect(io);
      const source = installSource(target.server, flags);
      await fetchInstallScript(io, source);
      const { token, expiresAt } = await client.createToken({
        kind: "join",
        name: flags.name ?? `host of ${flags.fleet}`,
        fleet: flags.fleet,
        ...(flags.expires === undefined ? {} : { expiresInS: flags.expires / 1_000 }),
      });
      const { fleet, name = null } = flags;
      const network = (await client.fleets()).find((known) => known.name === fleet)?.ssh?.network ?? null;
      const line = pasteLine({ ...source, token, fleet, name, network });
      if (flags.json) return printJson(io, { line, token, fleet, server: source.server, expiresAt });
      printLine(io, line);
      const until = expiresAt === null ? "" : ` until ${showInstant(expiresAt)}`;
      note(io, `Paste it on the host. It is good for one host${until}. Where you are root there, leave sudo out.`);
      warnOfLoopback(io, source);
    });
};
