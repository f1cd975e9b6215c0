import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ListedWorker } from "../../../src/adapters/types.ts";
import type { ReplicaView } from "../../../src/control/views/views.ts";
import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";
import { cutAtOthers } from "./worker.ts";

/** How long there is no control plane: four times what a host may be silent before its replicas are lost. */
const DOWN_MS = 120_000;
/** A decode worker crashes this long after the control plane, when agents have begun to wait longer between dials. */
const CRASH_AFTER_MS = 40_000;
/** Longer than a control plane that has just started waits for its hosts (45 s), after which it may decide about them. */
const WATCHED_AFTER_MS = 60_000;
/** The router is asked this often whom it lists. */
const LOOK_MS = 250;

/** No control plane for two minutes, in which a worker crashes, while users stream from the router. */
export const outage: Drill = { title: "no control plane for two minutes, a decode dies meanwhile", run };

async function run(cluster: DrillCluster): Promise<Finding> {
  const router = await cluster.routerUrl();
  const victim = await cluster.replica("decode");
  const url = cluster.urlOf(victim);
  const before = await factsOf(cluster);
  const version = await cluster.version();
  const history = await cluster.commitsAfter(0);
  const load = await Load.start(cluster);
  const watch = watchRouter(cluster, router);

  const gone = performance.now();
  await cluster.server?.stop("SIGKILL");
  await delay(CRASH_AFTER_MS);
  const crashed = performance.now();
  cluster.killJob(victim);
  const out = await cluster.untilOut(router, [url]);
  const restarted = await cluster.untilAttempt(victim, 2);
  const listed = await cluster.untilListed(4, router);
  await delay(gone + DOWN_MS - performance.now());
  await cluster.startServer();
  const returned = performance.now();
  const serving = await cluster.untilAnswered(cluster.serviceUrl);
  await cluster.untilOnline();
  const linked = performance.now();
  await delay(returned + WATCHED_AFTER_MS - performance.now());
  const unlisted = await watch.stop();
  const served = await load.stop();
  await cluster.untilReady();

  const over = Math.max(linked, serving);
  const { [victim.id]: victimBefore, ...others } = before;
  const { [victim.id]: victimAfter, ...othersAfter } = await factsOf(cluster);
  const journal = await cluster.commitsAfter(0);
  return {
    proxy: phasesOf(served.proxy, gone, over),
    direct: phasesOf(served.direct, gone, over),
    times: {
      ...since(crashed, { outOfRouter: out, restartDecided: restarted, listedAgain: listed }),
      ...since(returned, { servingAfterOutage: serving, linkedAfterOutage: linked }),
    },
    seen: {
      others,
      othersAfter,
      victim: victimBefore,
      victimAfter,
      cutAtOthers: cutAtOthers(served.direct, url),
      unlisted: unlisted.filter((worker) => worker !== url),
      historyKept: isDeepStrictEqual(journal.slice(0, history.length), history),
      events: journal.filter((commit) => commit.version > version).flatMap(({ events }) => events),
    },
  };
}

/** What of each replica has to be the same after an outage: what is committed of it, which attempt runs, as what. */
async function factsOf(cluster: DrillCluster): Promise<Record<string, unknown>> {
  const pids = await cluster.pids();
  const { replicas } = await cluster.view();
  const committed = ({ observed: _, ...rest }: ReplicaView) => rest;
  return Object.fromEntries(
    replicas.map((replica) => [
      replica.id,
      { ...committed(replica), attempt: replica.observed?.attempt, pids: pids[replica.id] },
    ]),
  );
}

/** Looks at a router's list again and again. `stop` tells which of the workers that it listed were ever out of it. */
function watchRouter(cluster: DrillCluster, router: string): { stop(): Promise<string[]> } {
  const ready = (workers: ListedWorker[] | null) =>
    (workers ?? []).flatMap(({ url, status }) => (status === "ready" ? [url] : []));
  let isOver = false;
  const watching = (async () => {
    const expected = ready(await cluster.workersOf(router));
    const missed = new Set<string>();
    while (!isOver) {
      const workers = await cluster.workersOf(router);
      // A router that does not answer in time is busy; whether it serves is what the streams tell.
      const now = workers === null ? expected : ready(workers);
      for (const url of expected) if (!now.includes(url)) missed.add(url);
      await delay(LOOK_MS);
    }
    return [...missed];
  })();
  return {
    stop() {
      isOver = true;
      return watching;
    },
  };
}
