import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";
import type { HostName } from "../service.ts";

/** libfaketime looks at its file this often, in seconds. */
const FILE_LOOK_S = 1;
/** A clock that has just been set is watched for this long: several intervals of everything that works by the second. */
const SETTLE_MS = 6_000;
const HOST: HostName = "gpu1";
const FAKETIME = { program: "faketime", package: "faketime", purpose: "processes with a clock of their own" };

/** The control plane's clock is set forward by an hour, then back by two, and then it is started again. */
export const serverClock: Drill = {
  programs: [FAKETIME],
  title: "the control plane's clock an hour off, both ways",
  prepare: (folder) => ({ server: fakeClock(folder) }),
  run: (cluster) =>
    run(cluster, async () => {
      await cluster.server?.stop("SIGKILL");
      await cluster.startServer();
    }),
};

/** The clocks of the router's agent and of a worker's agent likewise. */
export const agentClock: Drill = {
  programs: [FAKETIME],
  title: "agents' clocks an hour off, both ways",
  prepare: (folder) => ({ agents: { front: fakeClock(folder), [HOST]: fakeClock(folder) } }),
  run: (cluster) =>
    run(cluster, async () => {
      await cluster.agent(HOST).stop("SIGKILL");
      cluster.startAgent(HOST);
      await cluster.untilLinked(HOST);
    }),
};

async function run(cluster: DrillCluster, restart: () => Promise<void>): Promise<Finding> {
  const router = await cluster.routerUrl();
  const before = await cluster.pids();
  const version = await cluster.version();
  const load = await Load.start(cluster);
  const set = async (offset: string) => {
    writeFileSync(clockFile(cluster.folder), offset);
    await delay(FILE_LOOK_S * 1_000 + SETTLE_MS);
  };

  const fault = performance.now();
  await set("+3600");
  const upsets = await cluster.upsets(version);
  const forward = await killOne(cluster, router, "decode");
  const between = await cluster.version();
  await set("-3600");
  upsets.push(...(await cluster.upsets(between)));
  const backward = await killOne(cluster, router, "prefill");
  await load.more();
  const served = await load.stop();
  await restart();
  await cluster.untilOnline();
  await cluster.untilReady();
  await cluster.untilListed(4, router);
  const restarted = await killOne(cluster, router, "decode");

  const after = await cluster.pids();
  const others = Object.keys(before).filter((id) => id !== forward.victim && id !== backward.victim);
  return {
    // All that is begun is begun "after" a fault that needs no dealing with.
    proxy: phasesOf(served.proxy, fault, fault),
    direct: phasesOf(served.direct, fault, fault),
    times: {
      forwardOut: forward.outMs,
      forwardRestart: forward.restartMs,
      backwardOut: backward.outMs,
      backwardRestart: backward.restartMs,
      restartedOut: restarted.outMs,
      restartedRestart: restarted.restartMs,
    },
    seen: {
      upsets,
      others: others.map((id) => before[id]),
      after: others.map((id) => after[id]),
    },
  };
}

/** Kills a worker and waits until all is as before: the clock that is off must not change how long that takes. */
async function killOne(cluster: DrillCluster, router: string, group: string) {
  const victim = await cluster.replica(group, HOST);
  const url = cluster.urlOf(victim);
  const attempt = victim.observed?.attempt ?? 1;
  const fault = performance.now();
  cluster.killJob(victim);
  const out = await cluster.untilOut(router, [url]);
  const restarted = await cluster.untilAttempt(victim, attempt + 1);
  await cluster.untilListed(4, router);
  await cluster.untilReady();
  const { outMs, restartMs } = since(fault, { outMs: out, restartMs: restarted });
  return { victim: victim.id, outMs, restartMs };
}

function clockFile(folder: string): string {
  return join(folder, "clock");
}

/** The clock of a process alone: its calendar, not the clock that timers run by, as when an operator sets the time. */
function fakeClock(folder: string): NodeJS.ProcessEnv {
  if (!existsSync(clockFile(folder))) writeFileSync(clockFile(folder), "+0");
  return {
    LD_PRELOAD: findLibrary(),
    FAKETIME_TIMESTAMP_FILE: clockFile(folder),
    FAKETIME_CACHE_DURATION: String(FILE_LOOK_S),
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

/** @throws Error where the package `faketime` is not installed */
function findLibrary(): string {
  for (const folder of readdirSync("/usr/lib")) {
    const path = join("/usr/lib", folder, "faketime/libfaketimeMT.so.1");
    if (existsSync(path)) return path;
  }
  throw new Error("libfaketime is not installed; on Debian: apt-get install faketime");
}
