import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "../scripts/bootstrap.js";
import { LocalCluster } from "../test/support/local-cluster.ts";
import { freePort } from "../test/support/ports.ts";
import { cpuUs } from "./proxy/cpu.ts";
import { ensureRivals, type Rival, startNginx, startTunnel } from "./proxy/rivals.ts";
import type { LoadOrder, LoadResult, Traffic } from "./proxy/traffic.ts";
import { type BenchResult, type BenchTable, type Cell, spreadOf } from "./support/report.ts";

const SERVICE = "bench";
const CONCURRENCIES = [1, 16, 64];
/** Every way is measured once in each round, so that what else the machine does hits all of them alike. */
const ROUNDS = Number(process.env.HEADRACE_BENCH_ROUNDS || 5);
const JSON_MS = 1_000;
/** A client sends one stream after another for this long; a stream takes a second. */
const STREAM_MS = 1_500;
/** Before anything is measured, for each way and kind of traffic: until then the code is being compiled. */
const WARM_UP = { concurrency: 16, ms: 3_000 };

/** A way from the client to the upstream. */
interface Way {
  name: string;
  base: string;
  headers: Record<string, string>;
  /** Whose processor time counts, by what it is called. */
  pids: Record<string, number>;
}

interface Sample extends LoadResult {
  way: string;
  /** Microseconds of processor time per request (JSON) or per event (stream), by process. */
  cpu: Record<string, number>;
}

/** The same upstream, reached in every way there is, in turns; what each way adds is its own. */
export default async function bench(): Promise<BenchResult> {
  ensureRivals();
  const stops: (() => Promise<void> | void)[] = [];
  const startCluster = async (serverEnv: NodeJS.ProcessEnv) => {
    const cluster = await LocalCluster.start({ serverEnv });
    stops.unshift(() => cluster.dispose());
    return { cluster, upstreamPort: await serve(cluster) };
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
    const generator = fork(join(ROOT, "bench/proxy/load.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    stops.unshift(() => void generator.disconnect());

    const plain = (name: string, port: number, pids: Way["pids"]): Way => ({
      name,
      base: `http://127.0.0.1:${port}`,
      headers: {},
      pids,
    });
    const ways: Way[] = [
      plain("upstream itself", upstreamPort, {}),
      plain("nginx", nginx.port, nginx.pids),
      plain("nginx, ssh -L", throughTunnel.port, { ...throughTunnel.pids, ...tunnel.pids }),
      ours("Headrace, link", cluster),
      ours("Headrace, direct", direct.cluster),
    ];
    return {
      about:
        `The same upstream by every way, in ${ROUNDS} interleaved rounds: median (min - max) of the rounds. ` +
        "Load generator, upstream and all proxies share the machine. Ratios are to the row's own concurrency.",
      tables: [await measureJson(ways, generator), await measureStreams(ways, generator)],
    };
  } finally {
    for (const stop of stops) await stop();
  }
}

function ours(name: string, cluster: LocalCluster): Way {
  return {
    name,
    base: cluster.serviceUrl(SERVICE),
    headers: { authorization: `Bearer ${cluster.token}` },
    pids: { server: cluster.server?.pid ?? 0, agent: cluster.agent?.pid ?? 0 },
  };
}

/** Runs the upstream as the only replica of a service. @returns its port */
async function serve(cluster: LocalCluster): Promise<number> {
  const port = await freePort();
  const upstream = join(ROOT, "bench/proxy/upstream.ts");
  const config = [
    "type: service",
    `name: ${SERVICE}`,
    `port: ${port}`,
    `commands: [${JSON.stringify(`exec ${process.execPath} ${upstream} ${port}`)}]`,
    "resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }",
    "probes: [{ type: http, url: / }]",
  ].join("\n");
  await cluster.client().apply({ config, file: "bench.yml", env: {} });
  await cluster.untilReady(SERVICE);
  return port;
}

async function measureJson(ways: Way[], generator: ChildProcess): Promise<BenchTable> {
  const rows: Record<string, Cell>[] = [];
  for (const way of ways) await sample(way, generator, { ...WARM_UP, traffic: "json" });
  for (const concurrency of CONCURRENCIES) {
    const samples = await rounds(ways, generator, { traffic: "json", concurrency, ms: JSON_MS });
    const rate = (sample: Sample) => (sample.requests * 1_000) / sample.elapsedMs;
    for (const { name } of ways) {
      const own = samples.filter(({ way }) => way === name);
      rows.push({
        way: name,
        concurrency,
        rate: spreadOf(own.map(rate)),
        toNginx: ratio(samples, name, "nginx", rate),
        toTunnel: ratio(samples, name, "nginx, ssh -L", rate),
        p50: spreadOf(own.map(({ firstMs }) => firstMs.p50)).median,
        p99: spreadOf(own.map(({ firstMs }) => firstMs.p99)).median,
        cpu: cpuCell(own),
      });
    }
  }
  return {
    title: "Small JSON",
    columns: [
      { key: "way", title: "way" },
      { key: "concurrency", title: "c" },
      { key: "rate", title: "rate", unit: "req/s" },
      { key: "toNginx", title: "of nginx" },
      { key: "toTunnel", title: "of nginx, ssh -L" },
      { key: "p50", title: "p50", unit: "ms" },
      { key: "p99", title: "p99", unit: "ms" },
      { key: "cpu", title: "CPU per request, us" },
    ],
    rows,
  };
}

async function measureStreams(ways: Way[], generator: ChildProcess): Promise<BenchTable> {
  const rows: Record<string, Cell>[] = [];
  for (const way of ways) await sample(way, generator, { ...WARM_UP, traffic: "stream" });
  for (const concurrency of CONCURRENCIES) {
    const samples = await rounds(ways, generator, { traffic: "stream", concurrency, ms: STREAM_MS });
    for (const { name } of ways) {
      const own = samples.filter(({ way }) => way === name);
      const over = (value: (sample: Sample) => number) => spreadOf(own.map(value));
      rows.push({
        way: name,
        concurrency,
        first: over(({ firstMs }) => firstMs.p50).median,
        delay50: over(({ delayMs }) => delayMs.p50),
        delay99: over(({ delayMs }) => delayMs.p99),
        cpu: cpuCell(own),
      });
    }
  }
  return {
    title: "Streams of 100 events, one every 10 ms (delay: from an event's making to its arrival)",
    columns: [
      { key: "way", title: "way" },
      { key: "concurrency", title: "c" },
      { key: "first", title: "first event p50", unit: "ms" },
      { key: "delay50", title: "delay p50", unit: "ms" },
      { key: "delay99", title: "delay p99", unit: "ms" },
      { key: "cpu", title: "CPU per event, us" },
    ],
    rows,
  };
}

async function rounds(
  ways: Way[],
  generator: ChildProcess,
  order: Pick<LoadOrder, "traffic" | "concurrency" | "ms">,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    process.stderr.write(`${order.traffic}, c = ${order.concurrency}: round ${round + 1} of ${ROUNDS}\n`);
    for (const way of ways) samples.push(await sample(way, generator, order));
  }
  return samples;
}

async function sample(
  way: Way,
  generator: ChildProcess,
  order: Pick<LoadOrder, "traffic" | "concurrency" | "ms">,
): Promise<Sample> {
  const path: Record<Traffic, string> = { json: "/v1/chat/completions", stream: "/stream" };
  const used = () => Object.entries(way.pids).map(([name, pid]) => ({ name, us: ownTime(name, pid) }));
  const before = used();
  const answered = once(generator, "message") as Promise<[LoadResult]>;
  const told: LoadOrder = { ...order, url: way.base + path[order.traffic], headers: way.headers };
  generator.send(told);
  const [result] = await answered;
  if (result.failed > 0) throw new Error(`${way.name}: ${result.failed} requests failed: ${result.failure}`);
  const units = order.traffic === "json" ? result.requests : result.events;
  const cpu = used().map(({ name, us }, index) => [name, (us - (before[index]?.us ?? 0)) / units]);
  return { ...result, way: way.name, cpu: Object.fromEntries(cpu) };
}

/** An agent's children are its jobs, the upstream among them. */
function ownTime(name: string, pid: number): number {
  return cpuUs(pid, name !== "agent");
}

/** The median over the rounds of what a way did beside the other one in the same round. */
function ratio(samples: Sample[], way: string, other: string, value: (sample: Sample) => number): number {
  const of = (name: string) => samples.filter((each) => each.way === name).map(value);
  const others = of(other);
  return Number(spreadOf(of(way).map((own, round) => own / (others[round] ?? Number.NaN))).median.toFixed(2));
}

function cpuCell(samples: Sample[]): string {
  const names = Object.keys(samples[0]?.cpu ?? {});
  const cells = names.map((name) => {
    const { median } = spreadOf(samples.map(({ cpu }) => cpu[name] ?? Number.NaN));
    return `${name} ${median.toFixed(0)}`;
  });
  return cells.join(", ") || "-";
}
