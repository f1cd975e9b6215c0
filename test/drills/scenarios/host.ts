import type { ReplicaView } from "../../../src/control/views/views.ts";
import type { DrillCluster } from "../cluster.ts";
import { type Drill, type Finding, since } from "../drill.ts";
import { Load, phasesOf } from "../load.ts";
import type { HostName } from "../service.ts";

const LOST: HostName = "gpu2";
const OTHER: HostName = "gpu1";
/** From the loss to replacements that serve: twice the budget for the decision, and an engine's start. */
const REPLACED_MS_MAX = 120_000;

/** A whole host stands still, as a machine does whose kernel hangs for a while: nothing of it runs, nothing ends. */
export const freezeHost: Drill = {
  title: "a host frozen with SIGSTOP, later thawed",
  run: (cluster) => loseHost(cluster, "outOfRouterFrozen", (lost) => signalHost(cluster, lost)),
};

/** The host's cable is pulled: what is on it runs on, and nobody reaches it. */
export const cutHost: Drill = {
  title: "a host's network cut, later restored",
  run: (cluster) => loseHost(cluster, "outOfRouter", (lost) => cluster.network.plug(LOST, !lost)),
};

async function loseHost(cluster: DrillCluster, outName: string, lose: (lost: boolean) => void): Promise<Finding> {
  const router = await cluster.routerUrl();
  const { replicas } = await cluster.view();
  const onLost = replicas.filter((replica) => cluster.hostOf(replica) === LOST);
  const urls = onLost.map((replica) => cluster.urlOf(replica));
  const version = await cluster.version();
  const load = await Load.start(cluster);

  const fault = performance.now();
  const faultAt = Date.now();
  lose(true);
  const out = await cluster.untilOut(router, urls, REPLACED_MS_MAX);
  const isNew = (replica: ReplicaView) => !replicas.some(({ id }) => id === replica.id);
  await cluster.untilView(
    (view) => view.replicas.filter((one) => isNew(one) && one.status === "ready").length === onLost.length,
    "replacements are not ready",
    REPLACED_MS_MAX,
  );
  const replaced = performance.now();
  lose(false);
  const returned = performance.now();
  // The service needs four workers; whichever is one too many goes, and nothing else changes.
  await cluster.untilView(
    (view) => view.ready && view.replicas.length === replicas.length,
    "the service does not settle after the host's return",
    REPLACED_MS_MAX,
  );
  const settled = performance.now();
  await cluster.untilListed(4, router);
  await load.more();
  const served = await load.stop();

  const events = (await cluster.commitsAfter(version)).flatMap(({ at, events }) =>
    events.map((event) => ({ ...event, afterMs: at - faultAt })),
  );
  const decided = events.filter(
    ({ type, replica }) => type === "replica.starting" && !onLost.some((one) => one.id === replica),
  );
  const final = (await cluster.view()).replicas;
  return {
    proxy: phasesOf(served.proxy, fault, out),
    direct: phasesOf(served.direct, fault, out),
    times: {
      ...since(fault, { [outName]: out, replaced }),
      replacementDecided: Math.min(...decided.map(({ afterMs }) => afterMs)),
      ...since(returned, { settledAfterReturn: settled }),
    },
    seen: {
      events: events.map(({ type, replica, host, afterMs }) => `${afterMs} ${type} ${replica ?? host ?? ""}`),
      onOther: final.filter((replica) => isNew(replica) && cluster.hostOf(replica) === OTHER).length,
      wereOnLost: onLost.length,
      left: final.map(({ group, status }) => `${group} ${status}`).sort(),
    },
  };
}

function signalHost(cluster: DrillCluster, stop: boolean): void {
  for (const pid of cluster.network.processesOf(LOST)) process.kill(pid, stop ? "SIGSTOP" : "SIGCONT");
}
