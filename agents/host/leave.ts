import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { defaultDataDir } from "./data-dir.ts";
import { lockDataDir } from "./lock.ts";
import { openRuntimes } from "./runtime/open-runtimes.ts";
import { StateFile } from "./state-file.ts";
import { findStatePlace } from "./state-place.ts";
import { stopEveryJob } from "./stop-jobs.ts";

/** Enough for a router to end its streams' connections and for an engine to leave its device. */
const JOBS_STOP_MS = 15_000;

/**
 * Ends what an agent has left on this host outside of its data folder: its jobs, their cgroups and containers, the images that it
 * pulled, and the state it keeps in memory. The folder itself is whoever's made it. Does nothing where there is no such folder.
 * @throws Error for people while an agent works there, or when a job's processes do not die
 */
export async function leave(options: { dataDir: string | null; dockerSocket: string | null }): Promise<void> {
  const dataDir = resolve(options.dataDir ?? defaultDataDir());
  if (!(await isThere(dataDir))) return;
  const unlock = await lockDataDir(dataDir);
  try {
    const runtimes = await openRuntimes({
      dataDir,
      jobUser: "same",
      dockerSocket: options.dockerSocket,
      unusedImageBytesMax: 0,
      host: null,
    });
    try {
      await stopEveryJob(runtimes, JOBS_STOP_MS);
    } finally {
      await Promise.all(runtimes.map((runtime) => runtime.close()));
    }
    const { file } = await findStatePlace(dataDir);
    await new StateFile(file, "").remove();
  } finally {
    await unlock();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
