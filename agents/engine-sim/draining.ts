import type { Server } from "node:http";
import type { Clock } from "./clock.ts";
import { endInPeace } from "./ending.ts";
import type { Log } from "./log.ts";
import type { ServerState } from "./server.ts";

/** Always, and of use while draining: the server looks this often whether it should end. */
const DRAIN_CHECK_MS = 5_000;

/**
 * The original takes SIGTERM in hand with its first request (the warm-up is one); before that the process simply dies
 * of it. The returned function does so once, however often it is called.
 */
export function drainOnTerm(clock: Clock, log: Log): (state: ServerState, server: Server) => void {
  let armed = false;
  return (state, server) => {
    if (armed) return;
    armed = true;
    process.on("SIGTERM", () => {
      state.endsAtOnce = state.phase === "unhealthy" || state.settings.environment.forceShutdown;
      state.phase = "draining";
    });
    void watch(state, server, clock, log).then(() => endInPeace(state.settings));
  };
}

/** Ends when the engine is to drain and nothing is left in it. */
async function watch(state: ServerState, server: Server, clock: Clock, log: Log): Promise<void> {
  for (;;) {
    await clock.sleep(DRAIN_CHECK_MS);
    if (state.phase !== "draining") continue;
    if (state.endsAtOnce) log("Signal SIGTERM received while a drain is not possible or not wanted. Force exiting.");
    else log(`Gracefully exiting... Remaining number of requests ${state.inProgress}. Remaining requests []`);
    if (state.inProgress > 0 && !state.endsAtOnce) continue;
    server.close();
    return;
  }
}
