import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";
import type { HostName } from "../service.ts";

/** `kill -9` of an agent. The front's carries what goes through the control plane; a worker's host's carries nothing. */
export function killAgent(host: HostName, what: string): Drill {
  return { title: `kill -9 of ${what}`, run: (cluster) => run(cluster, host) };
}

async function run(cluster: DrillCluster, host: HostName): Promise<Finding> {
  const router = await cluster.routerUrl();
  const before = await cluster.pids();
  const version = await cluster.version();
  const load = await Load.start(cluster);

  const fault = performance.now();
  await cluster.agent(host).stop("SIGKILL");
  cluster.startAgent(host);
  await cluster.untilLinked(host);
  const linked = performance.now();
  const serving = await cluster.untilAnswered(cluster.serviceUrl);
  await load.more();
  const served = await load.stop();
  await cluster.untilReady();
  await cluster.untilListed(4, router);

  const over = Math.max(linked, serving);
  return {
    proxy: phasesOf(served.proxy, fault, over),
    direct: phasesOf(served.direct, fault, over),
    times: since(fault, { linked, serving }),
    seen: { before, after: await cluster.pids(), bad: await cluster.upsets(version) },
  };
}
