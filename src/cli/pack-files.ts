import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, normalize, resolve } from "node:path";
import type { FileSpec } from "../spec/types.ts";
import { FILE_BYTES_MAX } from "../wire/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

/** Files and folders below one that is sent along. */
const ENTRIES_MAX = 2_000;
/** Links can lead in circles; no folder of code is as deep as this. */
const DEPTH_MAX = 32;
/** Not part of what a person means by a folder. */
const LEFT_OUT = new Set([".git"]);

/** A file or folder of this machine as the server keeps it. */
export interface PackedFile {
  localPath: string;
  sha256: string;
  archive: Uint8Array<ArrayBuffer>;
}

/**
 * Packs what a configuration names under `files`. The same contents give the same archive, whoever packs them and
 * whenever: names in order, no times, no owners.
 * @param folder of the configuration: local paths are relative to it
 * @throws CliError naming what is missing or too large
 */
export async function packFiles(files: readonly FileSpec[], folder: string): Promise<PackedFile[]> {
  const packed: PackedFile[] = [];
  for (const file of files) packed.push(await packFile(file, folder));
  return packed;
}

async function packFile({ localPath, path }: FileSpec, folder: string): Promise<PackedFile> {
  const source = resolve(folder, localPath.replace(/^~(?=\/|$)/, homedir()));
  const names = listed(source, localPath);
  // Few services have files, and every command would wait for this.
  const { create } = await import("tar");
  const inside = normalize(path.replace(/^~\//, ""));
  // The archive is unpacked beside the name that it gets, so it has to hold that name.
  const name = inside === "." ? "." : basename(inside);
  const packing = create(
    {
      cwd: dirname(source),
      sync: true,
      portable: true,
      noMtime: true,
      noDirRecurse: true,
      follow: true,
      onWriteEntry: (entry) => {
        entry.path = `${name}${entry.path.slice(basename(source).length)}`;
      },
    },
    names.map((entry) => join(basename(source), entry)),
  );
  const archive = new Uint8Array(packing.read() ?? []);
  if (archive.byteLength > FILE_BYTES_MAX) throw tooLarge(localPath, archive.byteLength);
  return { localPath, sha256: createHash("sha256").update(archive).digest("hex"), archive };
}

/** Everything below `source`, itself first, as paths relative to it, in the order of their characters' codes. */
function listed(source: string, localPath: string): string[] {
  const names: string[] = [];
  let bytes = 0;
  const visit = (name: string, depth: number) => {
    const found = statOf(join(source, name), name === "" ? localPath : join(localPath, name));
    if (names.push(name) > ENTRIES_MAX || depth > DEPTH_MAX) {
      throw new CliError(
        EXIT.failed,
        `${localPath} holds more than ${ENTRIES_MAX} files, or folders more than ${DEPTH_MAX} deep.`,
        "Name the parts that the service needs, or put them into its image or a volume.",
      );
    }
    if (!found.isDirectory()) {
      bytes += found.size;
      if (bytes > FILE_BYTES_MAX) throw tooLarge(localPath, bytes);
      return;
    }
    const children = readdirSync(join(source, name)).filter((child) => !LEFT_OUT.has(child));
    for (const child of children.sort()) visit(join(name, child), depth + 1);
  };
  visit("", 0);
  return names;
}

function statOf(path: string, shown: string) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() || found?.isDirectory()) return found;
  const what = found ? "is neither a file nor a folder" : "is not there";
  throw new CliError(EXIT.failed, `The file names ${shown} under \`files\`, which ${what}.`, "Nothing was applied.");
}

function tooLarge(localPath: string, bytes: number): CliError {
  return new CliError(
    EXIT.failed,
    `${localPath} has ${bytes} bytes or more; ${FILE_BYTES_MAX} are the most that travels with a service.`,
    "Put it into the service's image or a volume, or fetch it in a command.",
  );
}
