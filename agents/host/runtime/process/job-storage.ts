import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  attemptFolder,
  attemptsFolder,
  homeFolder,
  jobFile,
  jobsFolder,
  logsFolder,
  outputFifo,
  tmpFolder,
  workFolder,
  writeRecord,
} from "./folder.ts";
import type { JobUser } from "./job-user.ts";
import { readAttempts } from "./records.ts";

/** Folders that are being made or removed; no job's id begins with a dot. */
const MAKING = ".making-";
const REMOVING = ".removing-";

/** Nothing of the job lives when its files are removed; this is for a file system that lags. */
const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

/**
 * Makes the folder that holds the jobs and removes what an agent that died had half made or half removed.
 * With a user of their own, jobs must be able to walk through; what is secret in the data folder has its own mode.
 */
export async function openStorage(dataDir: string, user: JobUser | null): Promise<void> {
  const folder = jobsFolder(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user !== null) {
    chmodSync(dataDir, statSync(dataDir).mode | 0o001);
    chmodSync(folder, 0o711);
  }
  for (const name of readdirSync(folder)) {
    if (name.startsWith(MAKING) || name.startsWith(REMOVING)) await rm(join(folder, name), REMOVE);
  }
}

/** The ids of the jobs on disk. */
export function listJobs(dataDir: string): string[] {
  return readdirSync(jobsFolder(dataDir)).filter((name) => !name.startsWith("."));
}

/**
 * Makes a job's folder anew; it is seen whole or not at all, with what `fill` puts into it. Until it is whole nobody else
 * can enter it, other jobs of the same user least of all: what they put there could lead the agent, which may be root,
 * anywhere.
 */
export async function makeJobFolder(
  dataDir: string,
  ids: { job: string; replica: string },
  user: JobUser | null,
  fill: (making: string) => Promise<void>,
): Promise<void> {
  const jobDir = join(jobsFolder(dataDir), ids.job);
  const making = join(jobsFolder(dataDir), `${MAKING}${ids.job}`);
  await rm(making, REMOVE);
  await removeJobFolder(dataDir, jobDir);
  mkdirSync(making, { mode: 0o700 });
  try {
    await makeParts(making, ids, user, fill);
    renameSync(making, jobDir);
  } catch (error) {
    await rm(making, REMOVE);
    throw error;
  }
}

async function makeParts(
  making: string,
  ids: { job: string; replica: string },
  user: JobUser | null,
  fill: (making: string) => Promise<void>,
): Promise<void> {
  for (const own of [attemptsFolder(making), logsFolder(making)]) mkdirSync(own, { mode: 0o700 });
  for (const theirs of [homeFolder(making), workFolder(making)]) {
    mkdirSync(theirs, { mode: 0o700 });
    giveTo(user, theirs);
  }
  execFileSync("mkfifo", ["-m", "600", outputFifo(making)], { stdio: "ignore" });
  giveTo(user, outputFifo(making));
  await fill(making);
  writeRecord(jobFile(making), ids);
  if (user !== null) chmodSync(making, 0o711);
}

/** Clears what the last attempt left in TMPDIR (dead sockets, mostly) and forgets attempts before the last one. */
export async function prepareAttempt(jobDir: string, user: JobUser | null): Promise<void> {
  const tmp = tmpFolder(jobDir);
  await rm(tmp, REMOVE);
  mkdirSync(tmp, { mode: 0o700 });
  giveTo(user, tmp);
  for (const old of readAttempts(jobDir).slice(0, -1)) await rm(attemptFolder(jobDir, old), REMOVE);
}

/** Removes a job's folder. It is gone from the list at once, and from the disk even if we die on the way. */
export async function removeJobFolder(dataDir: string, jobDir: string): Promise<void> {
  await rm(tmpFolder(jobDir), REMOVE);
  const removing = join(jobsFolder(dataDir), `${REMOVING}${basename(jobDir)}`);
  await rm(removing, REMOVE);
  if (lstatSync(jobDir, { throwIfNoEntry: false }) === undefined) return;
  renameSync(jobDir, removing);
  await rm(removing, REMOVE);
}

function giveTo(user: JobUser | null, path: string): void {
  if (user !== null) chownSync(path, user.uid, user.gid);
}
