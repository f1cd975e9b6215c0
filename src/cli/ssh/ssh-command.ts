import { homedir } from "node:os";
import { resolve } from "node:path";
import { shellQuoted } from "../../install/install-script.ts";
import type { SshHost, SshLogin } from "../../spec/types-fleet.ts";

/** What holds for all connections of a command. */
export interface SshOptions {
  /** Key files are relative to it: the folder of the fleet's file. */
  folder: string;
  /** `ssh -F`: in place of the user's own configuration; null = that one. */
  config: string | null;
  /** Take the key of a host that was never met; a key that is another than the one before is refused even so. */
  acceptNew: boolean;
}

/** For TCP and for each host on the way. A machine that is up answers within one. */
const CONNECT_S = 20;
/** A connection that has not answered for a minute is over. */
const ALIVE_EVERY_S = 15;
const ALIVE_MISSES_MAX = 4;

/**
 * The arguments of `ssh` that run a command on a host. It asks nothing (no password, no unknown key), and uses the key
 * that the file names and no other.
 */
export function sshArguments(host: SshHost, command: string, options: SshOptions): string[] {
  const jump = host.proxyJump;
  // Not `-J`: the jump has a key of its own, which that does not take.
  const via =
    jump === null
      ? []
      : [
          "-o",
          `ProxyCommand=${["ssh", ...loginArguments(jump, options), "-W", "[%h]:%p", "--", jump.hostname].map(wordOf).join(" ")}`,
        ];
  return ["-T", ...loginArguments(host, options), ...via, "--", host.hostname, command];
}

function loginArguments(login: SshLogin, { folder, config, acceptNew }: SshOptions): string[] {
  const settings = [
    "BatchMode=yes",
    `StrictHostKeyChecking=${acceptNew ? "accept-new" : "yes"}`,
    "IdentitiesOnly=yes",
    `ConnectTimeout=${CONNECT_S}`,
    `ServerAliveInterval=${ALIVE_EVERY_S}`,
    `ServerAliveCountMax=${ALIVE_MISSES_MAX}`,
    "LogLevel=ERROR",
  ];
  return [
    ...(config === null ? [] : ["-F", resolve(config)]),
    ...settings.flatMap((setting) => ["-o", setting]),
    "-i",
    keyFile(login.identityFile, folder),
    ...(login.port === null ? [] : ["-p", String(login.port)]),
    "-l",
    login.user,
  ];
}

export function keyFile(written: string, folder: string): string {
  return resolve(folder, written.replace(/^~(?=\/|$)/, homedir()));
}

/** In a ProxyCommand a `%` begins one of ssh's own words; those that are meant as such are in brackets or a port. */
function wordOf(text: string): string {
  if (text === "[%h]:%p") return text;
  return /^[\w./:=@+,-]+$/.test(text) ? text : shellQuoted(text.replaceAll("%", "%%"));
}
