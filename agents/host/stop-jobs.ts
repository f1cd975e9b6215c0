import { setTimeout as delay } from "node:timers/promises";
import type { Runtime, RuntimeJob } from "./runtime/types.ts";

/** While jobs are waited for, they are looked at this often. */
const STOPPING_POLL_MS = 50;

/** Ends every job that these runtimes have, wanted or not: those that do not end in time are killed. Removes their files. */
export async function stopEveryJob(runtimes: Runtime[], withinMs: number): Promise<void> {
  const runs = await listEveryJob(runtimes);
  await Promise.all(runs.map(({ run, runtime }) => runtime.signal(run.job, "SIGTERM")));
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += STOPPING_POLL_MS) {
    if ((await listEveryJob(runtimes)).every(({ run }) => run.state === "ended")) break;
    await delay(STOPPING_POLL_MS);
  }
  await Promise.all(runs.map(({ run, runtime }) => runtime.remove(run.job)));
}

/** Every job of the host with the runtime that has it. */
async function listEveryJob(runtimes: Runtime[]): Promise<{ run: RuntimeJob; runtime: Runtime }[]> {
  const lists = runtimes.map(async (runtime) => (await runtime.list()).map((run) => ({ run, runtime })));
  return (await Promise.all(lists)).flat();
}
