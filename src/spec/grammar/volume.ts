import { notYet } from "../later.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { InstanceVolumeSpec } from "../types.ts";
import { isAbsolutePath } from "./process.ts";

/** `/host/path:/path` (a folder or file of the host). `name:/path` would be a network volume. */
export function readVolume(written: string): Result<InstanceVolumeSpec> {
  const parts = written.split(":");
  const [source, path] = parts;
  if (parts.length !== 2 || source === undefined || path === undefined) {
    return bad(`${quote(written)} is no volume; write \`/path/on/host:/path/in/container\` with exactly one \`:\`.`);
  }
  if (!source.includes("/")) return bad(notYet(`the network volume ${quote(source)}`));
  for (const side of [source, path]) {
    const read = readVolumePath(side);
    if (!read.ok) return read;
  }
  return good({ kind: "instance", instancePath: source, path, optional: false });
}

export function readVolumePath(written: string): Result<string> {
  if (!isAbsolutePath(written))
    return bad(`${quote(written)} is not an absolute path; both sides of a volume begin with \`/\`.`);
  if (written.split("/").includes("..")) return bad(`${quote(written)} contains \`..\`; write the path that is meant.`);
  return good(written);
}
