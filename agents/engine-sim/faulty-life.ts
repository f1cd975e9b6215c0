import type { Clock } from "./clock.ts";
import { dieOf, killAfter } from "./ending.ts";
import type { Engine } from "./engine.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** Lets the faults of a running engine happen when they are due. */
export function scheduleFaults(settings: Settings, engine: Engine, clock: Clock, log: Log): void {
  const { crashAfterMs, hangAfterMs } = settings.faults;
  if (crashAfterMs !== null) {
    void clock.sleep(crashAfterMs).then(() => dieOf(log, "RuntimeError: CUDA error: an illegal memory access"));
  }
  if (hangAfterMs === null) return;
  void clock.sleep(hangAfterMs).then(async () => {
    engine.hang();
    await clock.sleep(settings.watchdogMs);
    killAfter(log, `Watchdog timeout (self.watchdog_timeout=${settings.watchdogMs / 1000})`);
  });
}
