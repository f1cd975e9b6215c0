import { lchownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { reasonOf } from "../../log.ts";
import type { Delivery } from "../types.ts";
import { homeFolder, workFolder } from "./folder.ts";
import type { JobUser } from "./job-user.ts";

/** What may be in an archive. */
const FOLDER = "Directory";
const PLAIN = [FOLDER, "File", "OldFile"];
/** A tar archive is made of blocks of so many bytes, of which the first is a header. */
const TAR_BLOCK = 512;

/**
 * Puts what travels with a job where its commands find it: below the job's `work` folder, where they start, or with
 * `~/` below its home. Only ever done in folders that no process of any job can reach into, since the agent may be root
 * and a link in them could point anywhere.
 * @throws Error for people: a path that a process must not be given, an archive that cannot be had or read
 */
export async function unpackFiles(files: readonly Delivery[], jobDir: string, user: JobUser | null): Promise<void> {
  for (const file of files) {
    const { root, inside } = placeOf(file.path, jobDir);
    const target = join(root, dirname(inside));
    mkdirSync(target, { recursive: true, mode: 0o755 });
    await unpack(await file.fetch(), target, file.path);
    if (user !== null) giveAll(root, user);
  }
}

/** @throws Error for people */
function placeOf(path: string, jobDir: string): { root: string; inside: string } {
  const inHome = /^~(\/|$)/.test(path);
  const inside = normalize(inHome ? path.slice(2) : path);
  if (!inside.startsWith("/") && inside !== ".." && !inside.startsWith("../")) {
    return { root: inHome ? homeFolder(jobDir) : workFolder(jobDir), inside };
  }
  throw new Error(
    `the file ${path} would lie outside of the job's own folder, where this host runs jobs as processes; ` +
      "write a path relative to where the commands start, e.g. `./app:app`",
  );
}

/**
 * Files and folders alone: no link, no device, nothing above `target` (the library refuses names that lead out), no mode
 * that gives rights. What comes compressed is none of ours: its size would say nothing of what it becomes.
 */
async function unpack(archive: Buffer, target: string, path: string): Promise<void> {
  // Few services have files, and an agent shall be small.
  const { extract, Header } = await import("tar");
  const isTar = () => archive.length >= TAR_BLOCK && new Header(archive, 0).cksumValid;
  const refused: string[] = [];
  const unpacking = extract({
    cwd: target,
    sync: true,
    strict: true,
    preserveOwner: false,
    filter: (name, entry) => {
      const isPlain = "type" in entry && PLAIN.includes(entry.type);
      if (!isPlain) refused.push(name);
      return isPlain;
    },
    onReadEntry: (entry) => {
      entry.mode = entry.type === FOLDER || (entry.mode ?? 0) & 0o100 ? 0o755 : 0o644;
    },
  });
  try {
    if (!isTar()) throw new Error("it is no tar archive");
    unpacking.end(archive);
  } catch (error) {
    throw new Error(`the file ${path} cannot be unpacked: ${reasonOf(error)}`, { cause: error });
  }
  if (refused.length > 0) throw new Error(`the file ${path} holds more than files and folders: ${refused.join(", ")}`);
}

function giveAll(path: string, user: JobUser): void {
  lchownSync(path, user.uid, user.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveAll(join(path, name), user);
}
