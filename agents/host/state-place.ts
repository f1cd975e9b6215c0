import { createHash } from "node:crypto";
import { lstat, mkdir, realpath, statfs } from "node:fs/promises";
import { join } from "node:path";

/** `f_type` of a tmpfs, from statfs(2). */
const TMPFS_MAGIC = 0x0102_1994;

export interface StatePlace {
  file: string;
  /** Whether it is in memory only, so that the secrets in it do not outlive the machine's boot. */
  inMemory: boolean;
}

/**
 * Where the agent keeps its state, which holds the secrets of its jobs: on a tmpfs where there is one that nobody else
 * can tamper with, else in the data folder. Each data folder has a file of its own.
 */
export async function findStatePlace(dataDir: string): Promise<StatePlace> {
  const name = `${createHash("sha256")
    .update(await realpath(dataDir))
    .digest("hex")
    .slice(0, 16)}.json`;
  for (const folder of memoryFolders()) {
    if (await isOurs(folder.parent, folder.path)) return { file: join(folder.path, name), inMemory: true };
  }
  return { file: join(dataDir, "state.json"), inMemory: false };
}

function memoryFolders(): { parent: string; path: string }[] {
  const uid = process.getuid?.();
  if (uid === undefined) return [];
  const shared = { parent: "/dev/shm", path: `/dev/shm/headrace-${uid}` };
  if (uid === 0) return [{ parent: "/run", path: "/run/headrace" }, shared];
  const runtimeDir = process.env.XDG_RUNTIME_DIR;
  return runtimeDir ? [{ parent: runtimeDir, path: join(runtimeDir, "headrace") }, shared] : [shared];
}

/** Whether it is (or now becomes) a folder of this user alone. In `/dev/shm` anybody could have been faster. */
async function isOurs(parent: string, path: string): Promise<boolean> {
  try {
    if ((await statfs(parent)).type !== TMPFS_MAGIC) return false;
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    const stat = await lstat(path);
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
