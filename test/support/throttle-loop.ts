import { workerData } from "node:worker_threads";

/** The thread of `throttle`: stops and continues a process until that has ended or this is terminated. */
const { pid, runMs, stopMs } = workerData as { pid: number; runMs: number; stopMs: number };
const nothing = new Int32Array(new SharedArrayBuffer(4));

try {
  for (;;) {
    process.kill(pid, "SIGSTOP");
    Atomics.wait(nothing, 0, 0, stopMs);
    process.kill(pid, "SIGCONT");
    Atomics.wait(nothing, 0, 0, runMs);
  }
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
}
