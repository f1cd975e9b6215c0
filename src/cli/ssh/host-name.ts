import type { SshHost } from "../../spec/types-fleet.ts";

/** What a host of a fleet's file is called: as the file says, in the characters that names of hosts have. */
export function nameOf({ hostname }: Pick<SshHost, "hostname">): string {
  return hostname
    .replace(/[^a-zA-Z0-9.-]/g, "-")
    .replace(/^[^a-zA-Z0-9]+/, "")
    .slice(0, 63);
}
