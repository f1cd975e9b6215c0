import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Of each such span a throttled process runs for a part: short enough that no caller notices more than slowness. */
const SPAN_MS = 100;

/**
 * Holds a process to a share of the time, as a machine does that has much other work: it is stopped and continued ten
 * times a second. Works wherever signals do; groups of processes with a quota are not everywhere to be had.
 *
 * @param share from 0 to 1
 * @returns lets the process run freely again
 */
export async function throttle(pid: number, share: number): Promise<() => Promise<void>> {
  // In a thread of its own: whoever throttles is busy with other things, and each delay here would be one there.
  const worker = new Worker(new URL("./throttle-loop.ts", import.meta.url), {
    workerData: { pid, runMs: SPAN_MS * share, stopMs: SPAN_MS * (1 - share) },
  });
  const gone = once(worker, "exit");
  await once(worker, "online");
  return async () => {
    await worker.terminate();
    await gone;
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // It has ended by itself.
    }
  };
}
