import { LocalCluster } from "../test/support/local-cluster.ts";
import {
  measureJson,
  measureStreams,
  NGINX,
  ourWay,
  rivalWay,
  serveUpstream,
  startGenerator,
  TUNNEL,
  type Way,
} from "./proxy/measure.ts";
import { ensureRivals, type Rival, startNginx, startTunnel } from "./proxy/rivals.ts";
import type { BenchResult } from "./support/report.ts";

/** Every way is measured once in each round, so that what else the machine does hits all of them alike. */
const ROUNDS = Number(process.env.HEADRACE_BENCH_ROUNDS || 5);

/** The same upstream, reached in every way there is, in turns; what each way adds is its own. */
export default async function bench(): Promise<BenchResult> {
  ensureRivals();
  const stops: (() => Promise<void> | void)[] = [];
  const startCluster = async (serverEnv: NodeJS.ProcessEnv) => {
    const cluster = await LocalCluster.start({ serverEnv });
    stops.unshift(() => cluster.dispose());
    return { cluster, upstreamPort: await serveUpstream(cluster) };
  };
  try {
    const { cluster, upstreamPort } = await startCluster({});
    // A server of its own, with a copy of the upstream: one server goes one way to a fleet.
    const direct = await startCluster({ HEADRACE_DIRECT_FLEETS: "main/default=127.0.0.0/8" });
    const keep = async (rival: Rival) => {
      stops.unshift(rival.stop);
      return rival;
    };
    const nginx = await keep(await startNginx(cluster.folder, upstreamPort));
    const tunnel = await keep(await startTunnel(cluster.folder, upstreamPort));
    const throughTunnel = await keep(await startNginx(cluster.folder, tunnel.port));
    const generator = startGenerator();
    stops.unshift(() => void generator.disconnect());

    const ways: Way[] = [
      rivalWay("upstream itself", { port: upstreamPort, pids: {} }),
      rivalWay(NGINX, nginx),
      rivalWay(TUNNEL, { port: throughTunnel.port, pids: { ...throughTunnel.pids, ...tunnel.pids } }),
      ourWay("Headrace, link", cluster),
      ourWay("Headrace, direct", direct.cluster),
    ];
    return {
      about:
        `The same upstream by every way, in ${ROUNDS} interleaved rounds: median (min - max) of the rounds. ` +
        "Load generator, upstream and all proxies share the machine. Ratios are to the row's own concurrency.",
      tables: [await measureJson(ways, generator, ROUNDS), await measureStreams(ways, generator, ROUNDS)],
    };
  } finally {
    for (const stop of stops) await stop();
  }
}
