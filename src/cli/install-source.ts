import { note } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { serverUrl } from "./settings.ts";

/** Where a host finds the server, and what its agent is installed from. */
export interface InstallSource {
  /** As hosts reach it. */
  server: string;
  /** The folder of `install.sh`. */
  from: string;
}

/** The script has about 15 KB. */
const SCRIPT_CHARS_MAX = 256 * 1024;

/**
 * @param target the server that this command talks to
 * @param flags another address of it, for hosts; another folder to install from than the server's own
 * @throws CliError when a flag is no address
 */
export function installSource(target: string, flags: { server?: string; from?: string }): InstallSource {
  const server = flags.server === undefined ? target : serverUrl(flags.server, "--server");
  return { server, from: flags.from === undefined ? `${server}/install` : serverUrl(flags.from, "--from") };
}

/**
 * The installation's script, read before anything is made for it.
 * @throws CliError when it is not there
 */
export async function fetchInstallScript(io: Io, { from }: InstallSource): Promise<string> {
  const url = `${from}/install.sh`;
  const answer = await io.fetch(url, { signal: io.interrupted }).catch((error: Error) => {
    io.interrupted.throwIfAborted();
    throw new CliError(
      EXIT.unreachable,
      `${url} cannot be fetched: ${(error.cause as Error)?.message ?? error.message}.`,
    );
  });
  const text = answer.ok ? await answer.text() : "";
  if (text.startsWith("#!/bin/sh\n") && text.length <= SCRIPT_CHARS_MAX) return text;
  throw new CliError(
    EXIT.failed,
    `There is nothing to install an agent from at ${url} (${answer.status}).`,
    "A server on Workers gives none out: `headrace host files` writes what to serve instead, and --from says where.",
  );
}

/** Says so where hosts other than this machine would look for the server on themselves. */
export function warnOfLoopback(io: Io, { server }: InstallSource): void {
  const { hostname } = new URL(server);
  if (!/^(localhost|127\..*|\[::1\])$/.test(hostname)) return;
  note(io, `${server} is this machine alone: for other hosts give --server with the address at which they reach it.`);
}
