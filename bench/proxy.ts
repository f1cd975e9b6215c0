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
import { ensureRivals, startNginx, startTunnel } from "./proxy/rivals.ts";
import type { BenchResult } from "./support/report.ts";

/** Every way is measured once in each round, so that what else the machine does hits all of them alike. */
const ROUNDS = Number(process.env.HEADRACE_BENCH_ROUNDS || 5);
const CONCURRENCIES = [1, 16, 64];

/** The same upstream, reached in every way there is, in turns; what each way adds is its own. */
export default async function bench(): Promise<BenchResult> {
  ensureRivals();
  await using ends = new AsyncDisposableStack();
  const startCluster = async (serverEnv: NodeJS.ProcessEnv) => {
    const cluster = ends.use(await LocalCluster.start({ serverEnv }));
    return { cluster, upstreamPort: await serveUpstream(cluster) };
  };
  const { cluster, upstreamPort } = await startCluster({});
  // A server of its own, with a copy of the upstream: one server goes one way to a fleet.
  const direct = await startCluster({ HEADRACE_DIRECT_FLEETS: "main/default=127.0.0.0/8" });
  const nginx = ends.use(await startNginx(cluster.folder, upstreamPort));
  const tunnel = ends.use(await startTunnel(cluster.folder, upstreamPort));
  const throughTunnel = ends.use(await startNginx(cluster.folder, tunnel.port));
  const generator = ends.adopt(startGenerator(), (process) => process.disconnect());
  const ways: Way[] = [
    rivalWay("upstream itself", { port: upstreamPort, pids: {} }),
    rivalWay(NGINX, nginx),
    rivalWay(TUNNEL, { port: throughTunnel.port, pids: { ...throughTunnel.pids, ...tunnel.pids } }),
    ourWay("Headrace, link", cluster),
    ourWay("Headrace, direct", direct.cluster),
  ];
  const plan = { ways, generator, rounds: ROUNDS, concurrencies: CONCURRENCIES };
  return {
    about:
      `The same upstream by every way, in ${ROUNDS} interleaved rounds: median (min - max) of the rounds. ` +
      "Load generator, upstream and all proxies share the machine. Ratios are to the row's own concurrency.",
    tables: [await measureJson(plan), await measureStreams(plan)],
  };
}
