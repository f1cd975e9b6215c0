import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";

/** `kill -9` of the only router: it has forgotten its workers when it is back. */
export const killRouter: Drill = { title: "kill -9 of the router", run };

async function run(cluster: DrillCluster): Promise<Finding> {
  const victim = await cluster.replica("router");
  const router = cluster.urlOf(victim);
  const others = await cluster.pids();
  delete others[victim.id];
  const load = await Load.start(cluster);

  const fault = performance.now();
  cluster.killJob(victim);
  const restarted = await cluster.untilAttempt(victim, 2);
  const returned = await cluster.untilRouter(router, () => true);
  const [listed, serving, proxied] = await Promise.all([
    cluster.untilListed(4, router),
    cluster.untilAnswered(router),
    cluster.untilAnswered(cluster.serviceUrl),
  ]);
  const over = Math.max(listed, serving, proxied);
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();

  const after = await cluster.pids();
  delete after[victim.id];
  return {
    proxy: phasesOf(served.proxy, fault, over),
    direct: phasesOf(served.direct, fault, over),
    times: {
      ...since(fault, { restartDecided: restarted, answersAgain: returned }),
      ...since(returned, { listedAfterReturn: listed, servingAfterReturn: serving, proxyServingAfterReturn: proxied }),
    },
    seen: { others, after },
  };
}
