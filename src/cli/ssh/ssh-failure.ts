import type { SshHost } from "../../spec/types-fleet.ts";

/** Of what ssh says the last lines matter; more is of no use in a line for people. */
const SAID_CHARS_MAX = 300;

/**
 * Why ssh itself failed (it ended with 255), for people: one sentence and what to do.
 * @param said what it wrote to standard error
 */
export function sshFailure(said: string, host: SshHost): string {
  const changed = /Host key for (\S+) has changed/.exec(said)?.[1];
  if (changed !== undefined || said.includes("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    const name = changed ?? host.hostname;
    const at = /Offending \S+ key in (\S+)/.exec(said)?.[1];
    return (
      `the host key of ${name} is another than the one ${at === undefined ? "known" : `in ${at}`}. Either it was installed ` +
      `anew, or something stands between. If you know that it was: ssh-keygen -R '${name}', then connect once by hand`
    );
  }
  const unknown = /No (\S+ )?host key is known for (\S+) and you have requested strict checking/.exec(said)?.[2];
  if (unknown !== undefined || said.includes("Host key verification failed")) {
    return (
      `the host key of ${unknown ?? host.hostname} is not known. Connect once by hand and compare it, or give ` +
      "--accept-new-host-keys to trust hosts that were never met"
    );
  }
  const denied = /(\S+)@(\S+): Permission denied \(([^)]*)\)/.exec(said);
  if (denied !== null) {
    const [, user, name] = denied;
    const jump = host.proxyJump;
    const key = jump !== null && jump.hostname === name && jump.user === user ? jump.identityFile : host.identityFile;
    return `${name} does not let ${user} in with the key ${key}`;
  }
  return `ssh says: ${lastOf(said)}`;
}

/** @returns the end of what a program wrote, on one line; never empty */
export function lastOf(said: string): string {
  const lines = said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.slice(-3).join("; ").slice(-SAID_CHARS_MAX) || "nothing";
}
