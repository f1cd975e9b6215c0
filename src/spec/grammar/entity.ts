import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { EntityRef } from "../types.ts";
import { isResourceName } from "./names.ts";

/** `name`, or `project/name` for what another project owns. */
export function readEntityRef(written: string): Result<EntityRef> {
  const parts = written.split("/");
  if (parts.length > 2 || parts.includes("")) {
    return bad(`${quote(written)} names nothing; write \`name\`, or \`project/name\` for what another project owns.`);
  }
  for (const part of parts) {
    const read = readEntityName(part);
    if (!read.ok) return read;
  }
  return good({ project: parts.length === 2 ? parts[0]! : null, name: parts.at(-1)! });
}

/** The name of something that exists elsewhere than in this file. */
export function readEntityName(written: string): Result<string> {
  if (isResourceName(written)) return good(written);
  return bad(
    `Nothing can be named ${quote(written)}; a name has 2 to 41 lower-case letters, digits and \`-\` and begins with a letter.`,
  );
}
