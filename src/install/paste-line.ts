import { shellQuoted } from "./install-script.ts";

/** What an installation is told beside the script; what is left out is found on the host. */
export interface InstallSettings {
  /** As hosts reach it. */
  server: string;
  /** The folder of `install.sh` and of what it fetches. */
  from: string;
  /** null for a host that has joined. */
  token: string | null;
  fleet: string;
  name?: string | null;
  address?: string | null;
  /** In which the fleet's hosts talk to each other: the host's address is the one that it has there. */
  network?: string | null;
}

/** Assignments that stand before the script: a text and never arguments, which every user of a machine can read. */
export function settingLines(settings: InstallSettings): string[] {
  const { server, from, token, fleet, name = null, address = null, network = null } = settings;
  const values: [string, string | null][] = [
    ["HEADRACE_SERVER", server],
    ["HEADRACE_FROM", from],
    ["HEADRACE_FLEET", fleet],
    ["HEADRACE_NAME", name],
    ["HEADRACE_ADDRESS", address],
    ["HEADRACE_NETWORK", network],
    ["HEADRACE_JOIN_TOKEN", token],
  ];
  return values.flatMap(([variable, value]) => (value === null ? [] : [`${variable}=${wordOf(value)}`]));
}

/**
 * One line to paste on a host. The shell that it is pasted into writes the settings itself: `echo` is no program of its
 * own, so the token is in no process's arguments.
 */
export function pasteLine(settings: InstallSettings): string {
  const told = settingLines(settings).join(" ");
  return `{ echo ${wordOf(told)}; curl -fsSL ${wordOf(`${settings.from}/install.sh`)}; } | sudo sh`;
}

/** Plain words stay as they are, so that the line can be read. */
function wordOf(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : shellQuoted(text);
}
