import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { LEAVE_PATH } from "../../src/wire/index.ts";
import { readCredential } from "./credential.ts";
import { defaultDataDir } from "./data-dir.ts";
import { sendRequest } from "./http-request.ts";
import { lockDataDir } from "./lock.ts";
import { reasonOf } from "./log.ts";
import { openRuntimes } from "./runtime/open-runtimes.ts";
import { StateFile } from "./state-file.ts";
import { findStatePlace } from "./state-place.ts";
import { stopEveryJob } from "./stop-jobs.ts";

/** Enough for a router to end its streams' connections and for an engine to leave its device. */
const JOBS_STOP_MS = 15_000;

/** The server is told for so long, and then left to find out by itself. */
const TELL_MS = 10_000;
/** The answer is a short text. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Ends what an agent has left on this host outside of its data folder: its jobs, their cgroups and containers, the images that it
 * pulled, and the state it keeps in memory. Then it tells the server, which forgets the host. The folder itself is whoever's
 * made it. Does nothing where there is no such folder.
 * @returns what the server was told, for people; empty for a host that never joined
 * @throws Error for people while an agent works there, or when a job's processes do not die
 */
export async function leave(options: { dataDir: string | null; dockerSocket: string | null }): Promise<string> {
  const dataDir = resolve(options.dataDir ?? defaultDataDir());
  if (!(await isThere(dataDir))) return "";
  const unlock = await lockDataDir(dataDir);
  try {
    const runtimes = await openRuntimes({
      cache: null,
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
    return await tellServer(dataDir);
  } finally {
    await unlock();
  }
}

async function tellServer(dataDir: string): Promise<string> {
  const host = await readCredential(dataDir).catch(() => null);
  if (host === null) return "";
  const still = (why: string) =>
    `The server ${host.server} could not be told (${why}), and still knows this host: headrace host remove ${host.host} --force`;
  try {
    const { status } = await sendRequest(`${host.server}${LEAVE_PATH}`, {
      method: "POST",
      headers: { authorization: `Bearer ${host.credential}` },
      body: null,
      signal: AbortSignal.timeout(TELL_MS),
      answerBytesMax: ANSWER_BYTES_MAX,
      agent: false,
    });
    if (status === 200) return `The server ${host.server} has forgotten this host, which was ${host.host}.`;
    // It was told before, by a leaving that was interrupted, or by somebody who removed the host.
    if (status === 401) return `The server ${host.server} does not know this host (${host.host}) any more.`;
    return still(`it answered ${status}`);
  } catch (error) {
    return still(reasonOf(error));
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
