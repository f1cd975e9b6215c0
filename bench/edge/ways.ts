import { LocalCluster } from "../../test/support/local-cluster.ts";
import {
  measureJson,
  measureStreams,
  NGINX,
  ourWay,
  rivalWay,
  serveUpstream,
  startGenerator,
  TUNNEL,
} from "../proxy/measure.ts";
import { ensureRivals, startNginx, startTunnel } from "../proxy/rivals.ts";
import type { BenchTable } from "../support/report.ts";

/** Fewer than the bench of the ways has: this one shows what the other runtime costs beside Node. */
const ROUNDS = Number(process.env.HEADRACE_BENCH_ROUNDS || 3);
const CONCURRENCIES = [1, 16];

/** The same upstream through a link that ends in Node, and through one that ends in a Durable Object. */
export async function measureWays(): Promise<BenchTable[]> {
  ensureRivals();
  await using ends = new AsyncDisposableStack();
  const edge = ends.use(await LocalCluster.start({ runtime: "workerd" }));
  const node = ends.use(await LocalCluster.start());
  const upstreamPort = await serveUpstream(edge);
  await serveUpstream(node);
  const nginx = ends.use(await startNginx(edge.folder, upstreamPort));
  const tunnel = ends.use(await startTunnel(edge.folder, upstreamPort));
  const throughTunnel = ends.use(await startNginx(edge.folder, tunnel.port));
  const generator = ends.adopt(startGenerator(), (process) => process.disconnect());
  const ways = [
    rivalWay("upstream itself", { port: upstreamPort, pids: {} }),
    rivalWay(NGINX, nginx),
    rivalWay(TUNNEL, { port: throughTunnel.port, pids: { ...throughTunnel.pids, ...tunnel.pids } }),
    ourWay("link, Node", node),
    ourWay("link, workerd", edge),
  ];
  const plan = { ways, generator, rounds: ROUNDS, concurrencies: CONCURRENCIES };
  return [await measureJson(plan), await measureStreams(plan)];
}
