import { addressIn } from "../../../agents/host/inventory/address.ts";
import { settingLines } from "../../install/paste-line.ts";
import type { SshHost } from "../../spec/types-fleet.ts";
import type { InstallSource } from "../install-source.ts";
import { nameOf } from "./host-name.ts";
import { PROBE_SCRIPT, type Probe, parseProbe } from "./probe.ts";
import type { RunSsh, SshOutcome } from "./run-ssh.ts";
import { type SshOptions, sshArguments } from "./ssh-command.ts";
import { lastOf, sshFailure } from "./ssh-failure.ts";

/** A question to a host; most of it is connecting. */
const PROBE_MS = 90_000;
/** Two downloads of up to 10 minutes, as the script bounds them, and a minute for the agent to start. */
const INSTALL_MS = 22 * 60_000;

/** What all hosts of a fleet are installed with. */
export interface HostInstallation extends InstallSource {
  fleet: string;
  /** The fleet's, in which hosts talk to each other; null = found out by each. */
  network: string | null;
  /** The text of `install.sh`. */
  script: string;
  /** The control plane keeps the hosts at another build of the agent than the script's, as the fleet's file asks. */
  keepsBuilds: boolean;
  ssh: SshOptions;
  run: RunSsh;
  /** Makes a join token for the host of this name; called only where one is needed. */
  makeToken: (name: string) => Promise<string>;
  signal: AbortSignal;
}

/** What is wrong with one host, for people, without its name. */
export class HostFailure extends Error {
  override name = "HostFailure";
}

/**
 * Sees to an agent on a host. One that is up to date and runs is left alone.
 * @param progress told what is being done
 * @returns the host's id, and whether anything was done
 * @throws HostFailure
 */
export async function installHost(
  host: SshHost,
  with_: HostInstallation,
  progress: (what: string) => void,
): Promise<{ id: string; changed: boolean }> {
  progress("connecting");
  const probe = await probeHost(host, with_);
  const { joined } = probe;
  assertOurs(joined, with_);
  const address = addressOf(host, with_.network, probe);
  const isRight = probe.agent === agentOf(with_.script) || (with_.keepsBuilds && probe.agent !== "");
  const isUpToDate = isRight && address === probe.address;
  if (joined !== null && probe.runs && isUpToDate) return { id: joined.host, changed: false };

  const name = nameOf(host);
  progress(joined === null ? "installing" : "bringing up to date");
  const token = joined === null ? await with_.makeToken(name) : null;
  const { server, from, fleet } = with_;
  const settings = settingLines({ server, from, token, fleet, name, address });
  const outcome = await onHost(
    host,
    asRoot(probe, "sh -s"),
    `${settings.join("\n")}\n${with_.script}`,
    INSTALL_MS,
    with_,
  );
  if (outcome.code !== 0) throw new HostFailure(saidBy(outcome));
  const id = /^This host is (\S+), in the fleet /m.exec(outcome.stdout)?.[1];
  if (id === undefined) throw new HostFailure(`the installation ended early; it said: ${lastOf(outcome.stdout)}`);
  return { id, changed: true };
}

/** Takes the agent off a host; does nothing where there is none. @throws HostFailure */
export async function leaveHost(
  host: SshHost,
  with_: Pick<HostInstallation, "ssh" | "run" | "signal">,
): Promise<string | null> {
  const probe = await probeHost(host, with_);
  const leave = 'leave="${HEADRACE_DIR:-/opt/headrace}/leave"; [ ! -x "$leave" ] || exec "$leave"';
  const outcome = await onHost(host, asRoot(probe, "sh -s"), `${leave}\n`, INSTALL_MS, with_);
  if (outcome.code !== 0) throw new HostFailure(saidBy(outcome));
  return probe.joined?.host ?? null;
}

async function probeHost(host: SshHost, with_: Pick<HostInstallation, "ssh" | "run" | "signal">): Promise<Probe> {
  const outcome = await onHost(host, "sh -s", PROBE_SCRIPT, PROBE_MS, with_);
  const probe = parseProbe(outcome.stdout);
  if (probe === null) throw new HostFailure(`it did not answer as a shell does; it said: ${saidBy(outcome)}`);
  if (probe.access !== "none") return probe;
  throw new HostFailure(
    `${probe.user} is not root there, and sudo asks for a password: allow it without, or log in as root`,
  );
}

async function onHost(
  host: SshHost,
  command: string,
  input: string,
  withinMs: number,
  { ssh, run, signal }: Pick<HostInstallation, "ssh" | "run" | "signal">,
): Promise<SshOutcome> {
  const outcome = await run(sshArguments(host, command, ssh), input, { withinMs, signal });
  signal.throwIfAborted();
  if (outcome.code === null && outcome.stderr === "") throw new HostFailure(`no end after ${withinMs / 1_000} s`);
  if (outcome.code === null || outcome.code === 255) throw new HostFailure(sshFailure(outcome.stderr, host));
  return outcome;
}

function asRoot({ access }: Probe, command: string): string {
  return access === "sudo" ? `sudo -n ${command}` : command;
}

/** A script of ours says why it fails on one line, last. */
function saidBy({ stderr, stdout }: SshOutcome): string {
  return /^headrace(?: agent)?: [\s\S]*/m.exec(stderr)?.[0].trim() ?? lastOf(stderr === "" ? stdout : stderr);
}

/** A host that has joined elsewhere is somebody's. */
function assertOurs(joined: Probe["joined"], { server, fleet }: HostInstallation): void {
  if (joined === null || (joined.server === new URL(server).origin && joined.fleet === fleet)) return;
  throw new HostFailure(
    `it is in the fleet ${joined.fleet} of ${joined.server} already. Take it out there first: /opt/headrace/leave on the host`,
  );
}

/** Where the file says nothing it stays the one that somebody gave the agent. */
function addressOf(host: SshHost, network: string | null, { addresses, address: given }: Probe): string | null {
  if (host.internalIp !== null || network === null) return host.internalIp ?? given;
  if (given !== null && addresses.includes(given) && addressIn(network, [given]) !== null) return given;
  const address = addressIn(network, addresses);
  if (address !== null) return address;
  throw new HostFailure(
    `it has no address in the fleet's network ${network}; it has ${addresses.join(", ") || "none"}`,
  );
}

/** The agent that a script installs. */
function agentOf(script: string): string | null {
  return /^agent_sha256=([0-9a-f]{64})$/m.exec(script)?.[1] ?? null;
}
