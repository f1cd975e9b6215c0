import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { basename, dirname, normalize, resolve } from "node:path";
import type { FileSpec } from "../spec/types.ts";
import { FILE_BYTES_MAX, FILES_PER_SERVICE_MAX } from "../wire/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import { listFiles, tooLarge } from "./list-files.ts";

/** Who may run a file is all that is kept of its mode: the rest depends on whose machine packs it. */
const MODES = { folder: 0o755, program: 0o755, file: 0o644 };

/** A file or folder of this machine as the server keeps it. */
export interface PackedFile {
  localPath: string;
  sha256: string;
  archive: Uint8Array<ArrayBuffer>;
  /** What a person might not expect of it: one sentence each. */
  notes: string[];
}

/**
 * Packs what a configuration names under `files`. The same contents give the same archive, whoever packs them and
 * whenever: names in order, no times, no owners, no modes but that a file is a program.
 * @param folder of the configuration: local paths are relative to it
 * @throws CliError naming what is missing, cannot be read or is too large
 */
export async function packFiles(files: readonly FileSpec[], folder: string): Promise<PackedFile[]> {
  if (files.length > FILES_PER_SERVICE_MAX) {
    throw new CliError(
      EXIT.failed,
      `The file names ${files.length} files and folders under \`files\`; at most ${FILES_PER_SERVICE_MAX} travel with a service.`,
      "Put them into one folder, and name that.",
    );
  }
  const packed: PackedFile[] = [];
  for (const file of files) {
    try {
      packed.push(await packFile(file, folder));
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw new CliError(EXIT.failed, `${file.localPath} cannot be read: ${(error as Error).message}.`);
    }
  }
  return packed;
}

async function packFile({ localPath, path }: FileSpec, folder: string): Promise<PackedFile> {
  const source = resolve(folder, localPath.replace(/^~(?=\/|$)/, homedir()));
  const { names, notes } = listFiles(source, localPath);
  const archive = await archiveOf(source, names, nameAt(path));
  if (archive.byteLength > FILE_BYTES_MAX) throw tooLarge(localPath, archive.byteLength);
  return { localPath, sha256: createHash("sha256").update(archive).digest("hex"), archive, notes };
}

/** The archive is unpacked beside the name that it gets, so it has to hold that name. */
function nameAt(path: string): string {
  const inside = normalize(path.replace(/^~(\/|$)/, ""));
  return inside === "." ? "." : basename(inside);
}

/** @param names below `source`, in the archive below `name` */
async function archiveOf(source: string, names: string[], name: string): Promise<Uint8Array<ArrayBuffer>> {
  // Few services have files, and every command would wait for this.
  const { create } = await import("tar");
  // Without this a name that begins with `@` would stand for the contents of another archive.
  const start = `./${basename(source)}`;
  const packing = create(
    {
      cwd: dirname(source),
      sync: true,
      strict: true,
      portable: true,
      noMtime: true,
      noDirRecurse: true,
      follow: true,
      linkCache: new NoHardLinks(),
      onWriteEntry: (entry) => {
        entry.path = `${name}${entry.path.slice(start.length)}`;
        if (entry.stat) entry.stat.mode = modeOf(entry.stat);
      },
    },
    names.map((entry) => (entry === "" ? start : `${start}/${entry}`)),
  );
  return new Uint8Array(packing.read() ?? []);
}

/** Two names of one file are two files to whoever gets them. */
class NoHardLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}

function modeOf(stat: { mode: number; isDirectory(): boolean }): number {
  if (stat.isDirectory()) return MODES.folder;
  return stat.mode & 0o100 ? MODES.program : MODES.file;
}
