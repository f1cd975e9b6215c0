import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";

/** `kill -9` of the control plane, the router and the agent that looks after the router, in one moment. */
export const killTogether: Drill = { title: "kill -9 of control plane, router and its agent at once", run };

async function run(cluster: DrillCluster): Promise<Finding> {
  const victim = await cluster.replica("router");
  const router = cluster.urlOf(victim);
  const others = await cluster.pids();
  delete others[victim.id];
  const version = await cluster.version();
  const load = await Load.start(cluster);

  const fault = performance.now();
  const ends = [cluster.server?.stop("SIGKILL"), cluster.agent("front").stop("SIGKILL")];
  cluster.killJob(victim);
  await Promise.all(ends);
  cluster.startAgent("front");
  await cluster.startServer();
  const returned = performance.now();
  const [listed, serving, linked] = await Promise.all([
    cluster.untilListed(4, router),
    cluster.untilAnswered(cluster.serviceUrl),
    cluster.untilOnline().then(() => performance.now()),
  ]);
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();

  const over = Math.max(linked, serving);
  const after = await cluster.pids();
  delete after[victim.id];
  const bad = (await cluster.upsets(version)).filter((event) => !event.includes(victim.id));
  return {
    proxy: phasesOf(served.proxy, fault, over),
    direct: phasesOf(served.direct, fault, over),
    times: since(returned, { listedAfterReturn: listed, servingAfterReturn: serving, linkedAfterReturn: linked }),
    seen: { others, after, bad },
  };
}
