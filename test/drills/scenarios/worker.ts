import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";

/** `kill -9` of one of two workers of a role. */
export function killWorker(group: "prefill" | "decode"): Drill {
  return { title: `kill -9 of a ${group}`, run: (cluster) => run(cluster, group) };
}

async function run(cluster: DrillCluster, group: "prefill" | "decode"): Promise<Finding> {
  const router = await cluster.routerUrl();
  const victim = await cluster.replica(group);
  const url = cluster.urlOf(victim);
  const others = await cluster.pids();
  delete others[victim.id];
  const load = await Load.start(cluster);

  const fault = performance.now();
  cluster.killJob(victim);
  const out = await cluster.untilOut(router, [url]);
  const restarted = await cluster.untilAttempt(victim, 2);
  const back = await cluster.untilListed(4, router);
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();

  const after = await cluster.pids();
  delete after[victim.id];
  return {
    proxy: phasesOf(served.proxy, fault, out),
    direct: phasesOf(served.direct, fault, out),
    times: since(fault, { outOfRouter: out, restartDecided: restarted, listedAgain: back }),
    seen: { others, after, cutAtOthers: cutAtOthers(served.direct, url) },
  };
}

/** Streams that broke although another decode than the killed one wrote them. */
export function cutAtOthers(served: { outcome: string; worker: string | null }[], killed: string): number {
  return served.filter(({ outcome, worker }) => outcome === "cut" && worker !== killed).length;
}
