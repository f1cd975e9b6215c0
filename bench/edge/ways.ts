import { LocalCluster } from "../../test/support/local-cluster.ts";
import {
  measureJson,
  measureStreams,
  NGINX,
  ourWay,
  rivalWay,
  serveUpstream,
  startGenerator,
} from "../proxy/measure.ts";
import { ensureRivals, startNginx } from "../proxy/rivals.ts";
import type { BenchTable } from "../support/report.ts";

/** Fewer than the bench of the ways has: this one shows what the other runtime costs beside Node. */
const ROUNDS = Number(process.env.HEADRACE_BENCH_ROUNDS || 2);

/** The same upstream through a link that ends in Node, and through one that ends in a Durable Object. */
export async function measureWays(): Promise<BenchTable[]> {
  ensureRivals();
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const [edge, node] = [await LocalCluster.start({ runtime: "workerd" }), await LocalCluster.start()];
    stops.unshift(
      () => edge.dispose(),
      () => node.dispose(),
    );
    const upstreamPort = await serveUpstream(edge);
    await serveUpstream(node);
    const nginx = await startNginx(edge.folder, upstreamPort);
    stops.unshift(nginx.stop);
    const generator = startGenerator();
    stops.unshift(() => void generator.disconnect());
    const ways = [
      rivalWay("upstream itself", { port: upstreamPort, pids: {} }),
      rivalWay(NGINX, nginx),
      ourWay("link, Node", node),
      ourWay("link, workerd", edge),
    ];
    return [await measureJson(ways, generator, ROUNDS), await measureStreams(ways, generator, ROUNDS)];
  } finally {
    for (const stop of stops) await stop();
  }
}
