import { flushCompileCache } from "node:module";
import { startBootstrap } from "./bootstrap-start.ts";
import { type Clock, realClock } from "./clock.ts";
import { drainOnTerm } from "./draining.ts";
import { killAfter } from "./ending.ts";
import { Engine } from "./engine.ts";
import { scheduleFaults } from "./faulty-life.ts";
import { listen } from "./listen.ts";
import { load, type Startup } from "./loading.ts";
import { type Log, logger } from "./log.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { recorder } from "./record.ts";
import { engineServer, type ServerState } from "./server.ts";
import type { Settings } from "./settings.ts";
import { stepLog } from "./step-log.ts";
import { NO_TELEMETRY } from "./telemetry.ts";

/**
 * Runs an engine from start to end: loading (port closed), starting (answers, but not healthy), up, and on SIGTERM
 * draining: unhealthy at once, still serving, gone when the last request is.
 */
export async function live(settings: Settings): Promise<void> {
  const clock = realClock(settings.speed);
  const log = logger(() => new Date(), settings.nodes.rank);
  if (settings.nodes.rank > 0) return liveBeside(settings, clock, log);
  // What few engines need is loaded by those alone.
  const nodes = settings.nodes.meeting ? await import("./nodes.ts") : null;
  const sayFarewell = await nodes?.gatherNodes(settings, clock, log);
  if (sayFarewell) process.on("exit", sayFarewell);
  const startup = await load(settings, clock, log);
  await serve(settings, startup, clock, log);
  flushCompileCache();
}

/** Another rank than 0 serves nothing. */
async function liveBeside(settings: Settings, clock: Clock, log: Log): Promise<void> {
  const { followRankZero, joinRankZero } = await import("./nodes.ts");
  const rankZero = await joinRankZero(settings, clock);
  await load(settings, clock, log);
  await followRankZero(settings, rankZero, log);
}

async function serve(settings: Settings, startup: Startup, clock: Clock, log: Log): Promise<void> {
  const metrics = settings.metrics.isOn
    ? (await import("./metrics/metrics.ts")).engineMetrics(settings, startup)
    : null;
  const telemetry = metrics?.telemetry ?? NO_TELEMETRY;
  const engine = new Engine(settings, clock, stepLog(settings, log), telemetry);
  if (settings.mode === "prefill") await startBootstrap(settings, engine, clock, log);
  const drain = drainOnTerm(clock, log);
  const state: ServerState = {
    settings,
    engine,
    clock,
    telemetry,
    open: new Map(),
    record: recorder(settings),
    phase: "starting",
    endsAtOnce: false,
    inProgress: 0,
    onRequest: () => drain(state, server),
    startup,
    startedAt: Math.floor(Date.now() / 1000),
    metrics: metrics && metricsOf(metrics, () => state),
  };
  const server = engineServer(state);
  const port = await listen(server, settings.host, settings.port);
  log(`Uvicorn running on http://${settings.host}:${port} (Press CTRL+C to quit)`);
  if (!settings.skipWarmup) {
    await warmUp(settings, clock, log);
    drain(state, server);
  }
  // It may have been told to end while it warmed up.
  if (state.phase === "starting") state.phase = "up";
  log("The server is fired up and ready to roll!");
  scheduleFaults(settings, engine, clock, log);
}

async function warmUp(settings: Settings, clock: Clock, log: Log): Promise<void> {
  if (settings.mode !== "null") log("Start of pd disaggregation warmup ...");
  await clock.sleep(settings.profile.warmupMs);
  if (settings.faults.warmup) killAfter(log, "Initialization failed. warmup error: the first request failed");
  if (settings.mode !== "null") log("End of disaggregation warmup");
}

function metricsOf(metrics: Metrics, state: () => ServerState): ServerState["metrics"] {
  return { type: metrics.type, text: () => metrics.text(state().engine, state().inProgress) };
}
