import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { FileSpec } from "../types.ts";

const forms = "write `local/path`, or `local/path:/path/in/container` with one `:`";

/** `local`, which the replica finds under the same path, or `local:container`. */
export function readFile(written: string): Result<FileSpec> {
  const parts = written.split(":");
  if (parts.length > 2) return bad(`${quote(written)} has more than one \`:\`; ${forms}.`);
  const [localPath = "", path = localPath] = parts;
  const local = readLocalPath(localPath);
  if (!local.ok) return local;
  const inside = readContainerPath(path);
  return inside.ok ? good({ localPath, path }) : inside;
}

export function readLocalPath(written: string): Result<string> {
  return written.trim() === "" ? bad(`The path of this file is empty; ${forms}.`) : good(written);
}

/** A path as containers have them; it may be relative to where the commands start. */
export function readContainerPath(written: string): Result<string> {
  if (written.trim() === "") return bad(`The path in the container is empty; ${forms}.`);
  if (written.includes("\\") || /^[a-zA-Z]:/.test(written)) {
    return bad(`${quote(written)} is no path in a container; write it with \`/\`, for example \`/app/config.json\`.`);
  }
  return good(written);
}
