import type { ReplicaView } from "../../../src/control/views/views.ts";
import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf, type Way } from "../load.ts";
import { configOf } from "../service.ts";

/** There is no other pair to try. */
const COUNTS = { prefill: 1, decode: 1 };
const WORKERS = 2;
/** Of each way: about ten seconds of them, several times what the router may take. */
const REQUESTS_AFTER = 40;

/**
 * `kill -9` of the only worker of a role in the smallest service of its kind, while requests go on: nothing can be answered until it is back, and then
 * everything has to be, however many failures the router has counted.
 */
export function killOnlyWorker(group: "prefill" | "decode"): Drill {
  return { title: `kill -9 of the only ${group}`, run: (cluster) => run(cluster, group) };
}

async function run(cluster: DrillCluster, group: "prefill" | "decode"): Promise<Finding> {
  const router = await cluster.routerUrl();
  await cluster.client().apply({ config: configOf(COUNTS) });
  await cluster.untilView(
    (view) => view.ready && view.replicas.length === WORKERS + 1,
    "there is more than one of a role",
  );
  await cluster.untilListed(WORKERS, router);
  const victim = await cluster.replica(group);
  const others = await cluster.pids();
  delete others[victim.id];
  const load = await Load.start(cluster);

  const fault = performance.now();
  cluster.killJob(victim);
  const restarted = await cluster.untilAttempt(victim, 2);
  const isBack = ({ id, status, observed }: ReplicaView) =>
    id === victim.id && status === "ready" && observed?.attempt === 2;
  await cluster.untilView((view) => view.replicas.some(isBack), `${victim.id} is not ready again`);
  const ready = performance.now();
  await Promise.all([cluster.untilAnswered(router), cluster.untilAnswered(cluster.serviceUrl)]);
  await load.more(REQUESTS_AFTER);
  const served = await load.stop();
  await cluster.untilReady();

  // The first answer is not the end: what the router tried before may fail later, and open its breaker once more.
  const lastFailed = (way: Way) =>
    Math.max(ready, ...served[way].filter(({ outcome }) => outcome !== "whole").map(({ at }) => at));
  const [proxied, direct] = [lastFailed("proxy"), lastFailed("direct")];
  const over = Math.max(proxied, direct) + 1;
  // From when the router answers nobody in front of it may refuse: it is the first to know.
  const answered = served.direct.find(({ at, outcome }) => at > restarted && outcome === "whole");
  const answers = answered === undefined ? 0 : answered.at + answered.silentMs;
  const refused = served.proxy.filter(({ at, detail }) => at > answers && detail.includes('"no_replica"'));
  const after = await cluster.pids();
  delete after[victim.id];
  return {
    proxy: phasesOf(served.proxy, fault, over),
    direct: phasesOf(served.direct, fault, over),
    times: {
      ...since(fault, { restartDecided: restarted }),
      ...since(ready, { servingAfterReady: direct, proxyServingAfterReady: proxied }),
    },
    seen: { others, after, refused: refused.map(({ detail }) => detail) },
  };
}
