import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** How a process of the engine ends. */

/** In peace, after a drain: 0.5.10 ends by killing its own processes, itself included. */
export function endInPeace(settings: Settings): void {
  if (settings.version === "0.5.10") killItself();
  else process.exit(0);
}

/** A scheduler has died, which takes all others with it: status 137, as when the system runs out of memory. */
export function dieOf(log: Log, cause: string): void {
  log(`Scheduler hit an exception: ${cause}`);
  log("Received sigquit from a child process. It usually means the child failed.");
  killItself();
}

/** As SGLang kills its tree of processes, with a word why. */
export function killAfter(log: Log, words: string): void {
  log(words);
  killItself();
}

function killItself(): void {
  process.kill(process.pid, "SIGKILL");
}
