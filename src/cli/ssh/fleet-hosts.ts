import { dirname } from "node:path";
import type { Command } from "commander";
import type { Client } from "../../api/client.ts";
import type { HostView } from "../../control/views/views.ts";
import type { SshHosts } from "../../spec/types-fleet.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { fetchInstallScript, installSource, warnOfLoopback } from "../install-source.ts";
import type { Io, Screen } from "../io.ts";
import { oneLine } from "../style.ts";
import { nameOf } from "./host-name.ts";
import { installFleet } from "./install-fleet.ts";
import { runSsh } from "./run-ssh.ts";
import type { SshOptions } from "./ssh-command.ts";

/** What the command line says of how hosts are reached, and from where they are installed. */
export interface SshFlags {
  file: string;
  server?: string;
  from?: string;
  sshConfig?: string;
  acceptNewHostKeys?: boolean;
}

/** What came of one host of the file. */
export type HostOutcome = { hostname: string; host: string; changed: boolean } | { hostname: string; failed: string };

/** A token is used within a minute or two; a slow download takes ten. */
const TOKEN_S = 30 * 60;
/** An agent that was started links within a second; one that cannot shall not be waited for long. */
const ONLINE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** Adds the flags that say how hosts are reached; the same for every command that does. */
export function withSshFlags(command: Command): Command {
  return command
    .option("--ssh-config <file>", "the configuration of ssh to use, in place of your own")
    .option(
      "--accept-new-host-keys",
      "trust the key of a host that was never met; a key that changed is refused even so",
    );
}

export function sshOptions({
  file,
  sshConfig,
  acceptNewHostKeys,
}: Pick<SshFlags, "file" | "sshConfig" | "acceptNewHostKeys">): SshOptions {
  const folder = file === "-" ? "." : dirname(file);
  return { folder, config: sshConfig ?? null, acceptNew: acceptNewHostKeys ?? false };
}

/**
 * Sees to an agent on every host of a fleet's file, from this machine, and waits until the server hears of them.
 * @param screen told of each step by host, of hosts that the file does not have, and of what failed
 * @throws CliError when there is nothing to install from
 */
export async function installHostsOf(
  io: Io,
  { client, server }: { client: Client; server: string },
  { name: fleet, hosts: { hosts, network }, agentVersion }: { name: string; hosts: SshHosts; agentVersion: string },
  flags: SshFlags,
  screen: Screen,
): Promise<HostOutcome[]> {
  const source = installSource(server, flags);
  const script = await fetchInstallScript(io, source);
  warnOfLoopback(io, source);
  const width = Math.max(...hosts.map(({ hostname }) => hostname.length));
  const say = (hostname: string, what: string) => screen.write(`${hostname.padEnd(width)}  ${indented(what)}\n`);
  const makeToken = async (name: string) =>
    (await client.createToken({ kind: "join", name, fleet, expiresInS: TOKEN_S })).token;
  const keepsBuilds = agentVersion !== "server";
  const reached = { ssh: sshOptions(flags), run: runSsh, signal: io.interrupted };
  const with_ = { ...source, ...reached, fleet, network, script, keepsBuilds, makeToken };
  const { installed, failed } = await installFleet(hosts, with_, say);

  const views = await untilOnline(
    io,
    client,
    [...installed.values()].map(({ id }) => id),
  );
  for (const [hostname, { id }] of installed) {
    if (views.some((view) => view.id === id && view.online)) continue;
    const reason = `its agent runs and the server does not hear of it: can it reach ${source.server}?`;
    failed.set(hostname, reason);
    say(hostname, `failed: ${reason}`);
  }
  for (const line of leftLines(views, fleet, hosts.map(nameOf), installed)) screen.write(`${line}\n`);
  return hosts.map(({ hostname }) => {
    const done = installed.get(hostname);
    const reason = failed.get(hostname);
    if (reason !== undefined || done === undefined) return { hostname, failed: reason ?? "not tried" };
    return { hostname, host: done.id, changed: done.changed };
  });
}

/** @throws CliError naming each host that failed, and why */
export function assertAllInstalled(outcomes: HostOutcome[]): void {
  const failed = outcomes.filter((outcome) => "failed" in outcome);
  if (failed.length === 0) return;
  const each = failed.map((outcome) => `\n  ${outcome.hostname}: ${indented(outcome.failed)}`).join("");
  throw new CliError(
    EXIT.failed,
    `${failed.length} of ${outcomes.length} hosts failed:${each}`,
    "What is installed stays. Apply the file again once this is mended: it goes on from there.",
  );
}

/** Hosts that the file no longer has, or never had, are told of and stay: they may run something. */
function leftLines(
  views: HostView[],
  fleet: string,
  names: string[],
  installed: ReadonlyMap<string, { id: string }>,
): string[] {
  const ids = new Set([...installed.values()].map(({ id }) => id));
  return views
    .filter((view) => view.fleet === fleet && !ids.has(view.id) && !names.includes(view.name))
    .map(
      ({ id, name }) =>
        `${oneLine(name)} is in the fleet and not in the file. It stays; to take it out, run /opt/headrace/leave there, ` +
        `and here: headrace host remove ${id}`,
    );
}

/** @returns the project's hosts, once these are online or have had their time */
async function untilOnline(io: Io, client: Client, ids: string[]): Promise<HostView[]> {
  const until = io.now() + ONLINE_MS;
  for (;;) {
    const views = await client.hosts();
    const online = new Set(views.filter((view) => view.online).map(({ id }) => id));
    if (ids.every((id) => online.has(id)) || io.now() >= until) return views;
    await io.sleep(LOOK_EVERY_MS, io.interrupted);
    io.interrupted.throwIfAborted();
  }
}

function indented(text: string): string {
  return text.split("\n").map(oneLine).join("\n    ");
}
