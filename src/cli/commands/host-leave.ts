import type { SshHost } from "../../spec/types-fleet.ts";
import { readConfigFile } from "../config-request.ts";
import { type AddCommand, agreed, connect, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { sshOptions, withSshFlags } from "../ssh/fleet-hosts.ts";
import { nameOf } from "../ssh/host-name.ts";
import { HostFailure, leaveHost } from "../ssh/install-host.ts";
import { runSsh } from "../ssh/run-ssh.ts";
import { oneLine } from "../style.ts";

interface LeaveFlags {
  file: string;
  sshConfig?: string;
  acceptNewHostKeys?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
}

export const addLeave: AddCommand = (host, context) => {
  const { io } = context;
  const command = host
    .command("leave")
    .description("Take the agent off a host over SSH, with all that it has made there, and forget the host")
    .argument("<host>", "the host, as the fleet's file names it")
    .requiredOption("-f, --file <file>", "the fleet's file, which says how the host is reached")
    .option("--force", "although it has jobs: they end, and their replicas are replaced elsewhere")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the answer as JSON");
  withSshFlags(command)
    .addHelpText(
      "after",
      "\nA host that joined by a pasted line is left by /opt/headrace/leave there.\n" +
        "\nExamples:\n  headrace host drain gpu-7 && headrace host leave gpu-7 -f fleet.yml",
    )
    .action(async (name: string, flags: LeaveFlags) => {
      const found = await hostInFile(name, flags);
      const { client } = await connect(io);
      const known = (await client.hosts()).find(
        (view) => view.fleet === found.fleet && view.name === nameOf(found.host),
      );
      if (known !== undefined && known.jobs > 0 && !flags.force) {
        throw new CliError(
          EXIT.failed,
          `${oneLine(name)} has ${known.jobs} jobs.`,
          `\`headrace host drain ${known.id}\` moves them; --force ends them.`,
        );
      }
      const question = `Take the agent off ${oneLine(name)}, and forget the host?`;
      if (!(await agreed(context, flags, "changed", question))) return;
      const left = await leave(found.host, flags);
      const id = left ?? known?.id ?? null;
      // The host has told the server itself, unless it could not reach it.
      const isKnown = id !== null && (await client.hosts()).some((view) => view.id === id);
      if (isKnown) await client.removeHost(id, flags.force ?? false);
      if (flags.json) printJson(io, { hostname: name, host: id, removed: id !== null });
      else printLine(io, `${oneLine(name)} is left, and nothing of the agent is there.`);
    });

  async function hostInFile(name: string, { file }: LeaveFlags): Promise<{ host: SshHost; fleet: string }> {
    const { parsed } = await readConfigFile(context, { file }, [], "Nothing was changed.");
    if (parsed.type !== "fleet" || parsed.spec.hosts.kind !== "ssh") {
      throw new CliError(EXIT.failed, `${file} describes no fleet with \`ssh_config\`.`);
    }
    const { hosts } = parsed.spec.hosts;
    const host = hosts.find(({ hostname }) => hostname === name);
    if (host !== undefined) return { host, fleet: parsed.spec.name };
    const names = hosts.map(({ hostname }) => hostname).join(", ");
    throw new CliError(EXIT.failed, `${file} has no host ${oneLine(name)}; it has ${names}.`);
  }

  async function leave(host: SshHost, flags: LeaveFlags): Promise<string | null> {
    try {
      return await leaveHost(host, { ssh: sshOptions(flags), run: runSsh, signal: io.interrupted });
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      throw new CliError(EXIT.failed, `${oneLine(host.hostname)}: ${error.message}`);
    }
  }
};
