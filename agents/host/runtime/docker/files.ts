import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Delivery } from "../types.ts";
import type { Engine } from "./engine.ts";
import type { ContainerAnswer } from "./engine-answers.ts";

/** Deeper than any path that is worth having. */
const FOLDERS_MAX = 64;

/**
 * Puts what travels with a job into its container, before anything runs there: where its commands start, below the home
 * of its user, or at an absolute path. Each attempt is another container, so the archives are kept on the host from the
 * first one on: the next may have to start while the control plane is away.
 * @param kept folder for the archives, for this job alone
 * @throws Error for people
 */
export async function deliverFiles(
  engine: Engine,
  container: ContainerAnswer,
  files: readonly Delivery[],
  kept: string,
): Promise<void> {
  for (const [index, file] of files.entries()) {
    const archive = await archiveOf(file, join(kept, `${index}.tar`));
    const folder = await folderOf(engine, container, file.path);
    await makeFolders(engine, container.Id, folder);
    await engine.putArchive(container.Id, folder, archive);
  }
}

async function archiveOf(file: Delivery, path: string): Promise<Buffer> {
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (known !== null) return known;
  const archive = await file.fetch();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Half a file would be taken for the whole one after a crash.
  await writeFile(`${path}.part`, archive, { mode: 0o600 });
  await rename(`${path}.part`, path);
  return archive;
}

async function folderOf(engine: Engine, container: ContainerAnswer, path: string): Promise<string> {
  const inHome = /^~(\/|$)/.test(path);
  if (inHome) return folderBelow(await homeOf(engine, container), path.slice(2));
  return folderBelow(container.Config.WorkingDir || "/", path);
}

/** Where an archive is unpacked: it holds the last part of its path, or, where there is none, what lies in the folder. */
export function folderBelow(start: string, path: string): string {
  const inside = posix.normalize(path);
  return /^\.\/?$/.test(inside) ? posix.resolve(start) : posix.dirname(posix.resolve(start, inside));
}

/** What the environment says, else the image's list of users. */
async function homeOf(engine: Engine, container: ContainerAnswer): Promise<string> {
  const named = container.Config.Env?.find((one) => one.startsWith("HOME="));
  if (named !== undefined) return named.slice("HOME=".length);
  const user = (container.Config.User ?? "").split(":")[0] || "root";
  if (user === "root" || user === "0") return "/root";
  const archive = await engine.getFile(container.Id, "/etc/passwd");
  const entry = archive
    ?.toString("utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name, , uid]) => name === user || uid === user);
  const home = entry?.[5];
  if (home?.startsWith("/")) return home;
  throw new Error(`the image does not say where the home of its user ${user} is; write an absolute path in \`files\``);
}

/** Makes the folders of a path that are missing, and leaves alone those that are there. */
async function makeFolders(engine: Engine, container: string, folder: string): Promise<void> {
  const missing: string[] = [];
  let parent = folder;
  while (parent !== "/" && !(await engine.hasPath(container, parent))) {
    missing.unshift(posix.basename(parent));
    parent = posix.dirname(parent);
    if (missing.length > FOLDERS_MAX) throw new Error(`the path ${folder} of a file is too deep`);
  }
  if (missing.length > 0) await engine.putArchive(container, parent, await archiveOfFolders(missing));
}

/** An archive of folders, each in the one before. */
async function archiveOfFolders(names: string[]): Promise<Buffer> {
  const { Header } = await import("tar");
  const blocks = names.map((_, index) => {
    const path = `${names.slice(0, index + 1).join("/")}/`;
    const block = Buffer.alloc(512);
    new Header({ path, type: "Directory", size: 0, mode: 0o755, uid: 0, gid: 0, mtime: new Date() }).encode(block);
    return block;
  });
  // Two empty blocks end it.
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}
