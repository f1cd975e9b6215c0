import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../support/processes.ts";
import type { DrillCluster, Starts } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";
import { CONFIG, type HostName } from "../service.ts";

const HOST: HostName = "gpu1";
/** Room for what the processes write in a drill several times over; filling it takes no time. */
const DISK_MIB = 48;
const FILL_CHUNK = Buffer.alloc(64 * 1024);
/** A job that ends gives some room back, which the start of its next attempt must not find: that takes 100 ms. */
const REFILL_MS = 5;
/** How long the disk stays full with nothing else wrong. */
const FULL_MS = 3_000;

/** The folder of an agent has no room left when one of its engines dies. */
export const fullAgentDisk: Drill = {
  title: "an agent's disk full",
  prepare: (folder) => smallDisk(join(folder, HOST)),
  run: runAgent,
};

/** The database has no room left. */
export const fullServerDisk: Drill = {
  title: "the control plane's disk full",
  prepare: (folder) => smallDisk(join(folder, "server")),
  run: runServer,
};

async function runAgent(cluster: DrillCluster): Promise<Finding> {
  const router = await cluster.routerUrl();
  const version = await cluster.version();
  const victim = await cluster.replica("decode", HOST);
  const url = cluster.urlOf(victim);
  const others = await cluster.pids();
  delete others[victim.id];
  const load = await Load.start(cluster);

  const full = performance.now();
  const free = fill(cluster.agentFolder(HOST));
  await delay(FULL_MS);
  const fault = performance.now();
  cluster.killJob(victim);
  const out = await cluster.untilOut(router, [url]);
  const said = await reasonOf(cluster, version);
  // An agent that dies now cannot start, and says why; what runs goes on without it.
  await cluster.agent(HOST).stop("SIGKILL");
  cluster.startAgent(HOST);
  const agent = cluster.agent(HOST);
  const ended = await Promise.race([agent.ended, delay(10_000, "runs" as const)]);
  await load.more();
  free();
  const freed = performance.now();
  if (ended !== "runs") cluster.startAgent(HOST);
  await cluster.untilLinked(HOST);
  const listed = await cluster.untilListed(4, router);
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();

  const after = await cluster.pids();
  return {
    proxy: phasesOf(served.proxy, full, out),
    direct: phasesOf(served.direct, full, out),
    times: { ...since(fault, { outOfRouter: out }), ...since(freed, { listedAfterRoom: listed }) },
    seen: {
      said,
      restart: { ended, output: ended === "runs" ? "" : agent.output().slice(-500) },
      others,
      after: Object.fromEntries(Object.keys(others).map((id) => [id, after[id]])),
    },
  };
}

/** What the journal says of a replica that is given up since it cannot be started: it tries three times. */
async function reasonOf(cluster: DrillCluster, version: number): Promise<string> {
  let upsets: string[] = [];
  const isReason = (event: string) => event.includes("times within 5 minutes");
  await until(
    async () => {
      upsets = await cluster.upsets(version);
      return upsets.some(isReason);
    },
    () => `nothing is said of the full disk: ${upsets.join("\n")}`,
  );
  return upsets.find(isReason) ?? "";
}

async function runServer(cluster: DrillCluster): Promise<Finding> {
  const router = await cluster.routerUrl();
  const before = await cluster.pids();
  const version = await cluster.version();
  const victim = await cluster.replica("decode", HOST);
  const load = await Load.start(cluster);

  const fault = performance.now();
  const free = fill(cluster.serverFolder);
  const more = CONFIG.replace(/(name: decode\n\s+count: )2/, "$13");
  const refused = await cluster
    .client()
    .apply({ config: more })
    .then(
      () => "applied",
      (error: Error & { status?: number }) => `${error.status ?? ""} ${error.message}`,
    );
  const during = await cluster.view();
  // Nothing of it needs the database: the router's agent takes the worker out, its own agent starts it again.
  const killed = performance.now();
  cluster.killJob(victim);
  const out = await cluster.untilOut(router, [cluster.urlOf(victim)]);
  const restarted = await cluster.untilAttempt(victim, 2);
  const back = await cluster.untilListed(4, router);
  await load.more();
  free();
  const freed = performance.now();
  await cluster.client().apply({ config: more });
  await cluster.untilView((view) => view.ready && view.replicas.length === 6, "the third decode does not come");
  const applied = performance.now();
  await load.more();
  const served = await load.stop();

  const after = await cluster.pids();
  const commits = await cluster.commitsAfter(version);
  return {
    proxy: phasesOf(served.proxy, fault, out),
    direct: phasesOf(served.direct, fault, out),
    times: {
      ...since(killed, { outOfRouter: out, restartDecided: restarted, listedAgain: back }),
      ...since(freed, { appliedAfterRoom: applied }),
    },
    seen: {
      refused,
      wantedDuring: during.groups.find(({ name }) => name === "decode")?.wanted,
      gapless: commits.every((commit, i) => commit.version === version + 1 + i),
      others: without(before, victim.id),
      after: Object.fromEntries(Object.keys(without(before, victim.id)).map((id) => [id, after[id]])),
      serverLog: cluster.server
        ?.output()
        .split("\n")
        .filter((line) => /full|error/i.test(line))
        .slice(0, 5),
    },
  };
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** A small file system of the folder's own; it goes with the drill's mount namespace. */
function smallDisk(folder: string): Starts {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", folder]);
  return {};
}

/** Leaves no byte free, and takes what others give back. @returns what makes room again */
function fill(folder: string): () => void {
  const path = join(folder, "filled-by-the-drill");
  const file = openSync(path, "w");
  const takeAll = () => {
    for (let size = FILL_CHUNK.length; size >= 1; ) {
      try {
        if (writeSync(file, FILL_CHUNK, 0, size) < size) size = Math.floor(size / 2);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        size = Math.floor(size / 2);
      }
    }
  };
  takeAll();
  const timer = setInterval(takeAll, REFILL_MS);
  return () => {
    clearInterval(timer);
    closeSync(file);
    rmSync(path);
  };
}
