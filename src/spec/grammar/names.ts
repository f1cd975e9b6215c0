import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** Names of projects, services, fleets, gateways and volumes. */
export function isResourceName(text: string): boolean {
  return /^[a-z][a-z0-9-]{1,40}$/.test(text);
}

/** The name that a file gives to what it describes. */
export function readResourceName(written: string): Result<string> {
  if (isResourceName(written)) return good(written);
  return bad(
    `${quote(written)} cannot be a name; use 2 to 41 lower-case letters, digits and \`-\`, beginning with a letter, for example ${quote(toName(written))}.`,
  );
}

/** The nearest name to what was written. */
function toName(written: string): string {
  const name = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 41);
  return name.length >= 2 ? name : "my-service";
}

export function readGroupName(written: string): Result<string> {
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(written)) return good(written);
  return bad(
    `${quote(written)} cannot be the name of a group; use 1 to 40 lower-case letters, digits and \`-\`, beginning with a letter or digit, for example \`decode\`.`,
  );
}
