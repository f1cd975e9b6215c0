import { homedir } from "node:os";
import type { DeployFlags, World } from "../../deploy.ts";
import { type AddCommand, note, printLine } from "../context.ts";
import type { Io } from "../io.ts";
import { readSettings, withServer, writeSettings } from "../settings.ts";

export const addDeploy: AddCommand = (program, { io }) => {
  program
    .command("deploy")
    .description("Deploy the control plane")
    .command("edge")
    .description("Deploy the control plane to Cloudflare Workers, or bring the one there up to date")
    .option("--name <worker>", "the Worker's name (default headrace)")
    .option("--account <id>", "the account, where the login has several (CLOUDFLARE_ACCOUNT_ID)")
    .option("--domain <host>", "a host name of the account's own to serve at, in place of workers.dev")
    .option(
      "--database-url <address>",
      "the libSQL server with its state (HEADRACE_DATABASE_URL; the token in HEADRACE_DATABASE_TOKEN)",
    )
    .option("--dry-run", "show each step and bundle the Worker; needs no account and no network, and changes nothing")
    .addHelpText(
      "after",
      "\nIt can be repeated: what is done stays done. docs/edge.md goes through it step by step.\n\nExamples:\n" +
        "  HEADRACE_DATABASE_TOKEN=... headrace deploy edge --database-url libsql://headrace-acme.turso.io --dry-run\n" +
        "  HEADRACE_DATABASE_TOKEN=... headrace deploy edge --database-url libsql://headrace-acme.turso.io",
    )
    .action(async (flags: DeployFlags & { dryRun?: boolean }) => {
      // Loaded only here: no other command needs it.
      const { deploy } = await import("../../deploy.ts");
      await deploy(flags, worldOf(io));
    });
};

function worldOf(io: Io): World {
  return {
    env: io.env,
    home: io.env.HOME || homedir(),
    fetch: io.fetch,
    now: io.now,
    sleep: (ms) => io.sleep(ms, io.interrupted),
    interrupted: io.interrupted,
    say: (line) => printLine(io, line),
    warn: (line) => note(io, `warning: ${line}`),
    keepToken: (url, token) => keepToken(io, url, token),
  };
}

/** Shown before it is written: it exists nowhere else if that fails. */
async function keepToken(io: Io, server: string, token: string): Promise<void> {
  printLine(io, `First deployment. The admin token, shown only now: ${token}`);
  const settings = withServer(await readSettings(io.env), { server, token, project: "main" }, false);
  printLine(io, `It is kept in ${await writeSettings(io.env, settings)}.`);
  if (settings.server !== server) {
    note(io, `Commands still mean ${settings.server}; set HEADRACE_SERVER=${server} for this one.`);
  }
}
