import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { VolumeMountSpec } from "../types.ts";
import { readReferences, type TemplatePart } from "./interpolation.ts";
import { isAbsolutePath } from "./process.ts";

/** `/host/path:/path` (a folder or file of the host), or `name:/path` (a volume of a cloud). */
export function readVolume(written: string): Result<VolumeMountSpec> {
  const parts = written.split(":");
  const [source, path] = parts;
  if (parts.length !== 2 || source === undefined || path === undefined) {
    return bad(
      `${quote(written)} is no volume; write \`/path/on/host:/path/in/container\` or \`name:/path/in/container\` with exactly one \`:\`.`,
    );
  }
  const inside = readVolumePath(path);
  if (!inside.ok) return inside;
  if (source.includes("/")) {
    const outside = readVolumePath(source);
    return outside.ok ? good({ kind: "instance", instancePath: source, path, optional: false }) : outside;
  }
  const name = readVolumeName(source);
  return name.ok ? good({ kind: "network", names: [source], path }) : name;
}

/** A volume's name, which may hold the number of the node or job: each then has a volume of its own. */
export function readVolumeName(written: string): Result<string> {
  const read = readReferences(written, "volume");
  if (!read.ok) return read;
  const sample = read.value.map(asText).join("");
  if (/^[a-z][a-z0-9-]{1,40}$/.test(sample)) return good(written);
  return bad(
    `${quote(written)} cannot be the name of a volume; use 2 to 41 lower-case letters, digits and \`-\`, beginning with a letter, or write a path that begins with \`/\`.`,
  );
}

/** A text or a reference of it, which stands for a number. */
function asText(part: TemplatePart): string {
  return typeof part === "string" ? part : "0";
}

export function readVolumePath(written: string): Result<string> {
  if (!isAbsolutePath(written))
    return bad(`${quote(written)} is not an absolute path; write one that begins with \`/\`.`);
  if (written.split("/").includes("..")) return bad(`${quote(written)} contains \`..\`; write the path that is meant.`);
  return good(written);
}
