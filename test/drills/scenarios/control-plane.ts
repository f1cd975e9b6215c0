import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";

/** How long there is no control plane: long enough that whatever depends on it notices. */
const DOWN_MS = 3_000;

/** `kill -9` of the control plane, which comes back after a few seconds. */
export const killControlPlane: Drill = { title: "kill -9 of the control plane", run };

async function run(cluster: DrillCluster): Promise<Finding> {
  const router = await cluster.routerUrl();
  const before = await cluster.pids();
  const version = await cluster.version();
  const history = await cluster.commitsAfter(0);
  const load = await Load.start(cluster);

  const fault = performance.now();
  await cluster.server?.stop("SIGKILL");
  await delay(DOWN_MS);
  await cluster.startServer();
  const returned = performance.now();
  const serving = await cluster.untilAnswered(cluster.serviceUrl);
  await cluster.untilOnline();
  const linked = performance.now();
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();
  await cluster.untilListed(4, router);

  const kept = (await cluster.commitsAfter(0)).slice(0, history.length);
  return {
    // What comes from its first moment on waits until the router's host is linked, and is served like any other.
    proxy: phasesOf(served.proxy, fault, returned),
    direct: phasesOf(served.direct, fault, Math.max(linked, serving)),
    times: since(returned, { servingAfterReturn: serving, linkedAfterReturn: linked }),
    seen: {
      before,
      after: await cluster.pids(),
      bad: await cluster.upsets(version),
      historyKept: isDeepStrictEqual(kept, history),
    },
  };
}
