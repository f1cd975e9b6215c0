import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.js";
import type { LocalCluster } from "../../test/support/local-cluster.ts";
import { freePort } from "../../test/support/ports.ts";
import { type BenchTable, type Cell, spreadOf } from "../support/report.ts";
import { cpuUs } from "./cpu.ts";
import type { Rival } from "./rivals.ts";
import type { LoadOrder, LoadResult, Traffic } from "./traffic.ts";

const SERVICE = "bench";
const JSON_MS = 1_000;
/** A client sends one stream after another for this long; a stream takes a second. */
const STREAM_MS = 1_500;
/** Before anything is measured, for each way and kind of traffic: until then the code is being compiled. */
const WARM_UP = { concurrency: 16, ms: 3_000 };
/** How much later than its orders the load may have come to its end: by then a request is lost. */
const LOAD_LATE_MS_MAX = 20_000;
/** What every way is compared with, and what a link is besides. */
export const NGINX = "nginx";
export const TUNNEL = "nginx, ssh -L";

/** A way from the client to the upstream. */
export interface Way {
  name: string;
  base: string;
  headers: Record<string, string>;
  /** Whose processor time counts, by what it is called. */
  pids: Record<string, number>;
}

/** What is compared, and how often. */
export interface Plan {
  ways: Way[];
  generator: ChildProcess;
  /** Every way is measured once in each. */
  rounds: number;
  concurrencies: number[];
}

type Load = Pick<LoadOrder, "traffic" | "concurrency" | "ms">;

interface Sample extends LoadResult {
  way: string;
  /** Microseconds of processor time per request (JSON) or per event (stream), by process. */
  cpu: Record<string, number>;
}

/** A way that is not ours. */
export function rivalWay(name: string, { port, pids }: Pick<Rival, "port" | "pids">): Way {
  return { name, base: `http://127.0.0.1:${port}`, headers: {}, pids };
}

/** Through a control plane of ours. */
export function ourWay(name: string, cluster: LocalCluster): Way {
  return {
    name,
    base: cluster.serviceUrl(SERVICE),
    headers: { authorization: `Bearer ${cluster.token}` },
    pids: { server: cluster.server?.pid ?? 0, agent: cluster.agent?.pid ?? 0 },
  };
}

/** Runs the upstream as the only replica of a service. @returns its port */
export async function serveUpstream(cluster: LocalCluster): Promise<number> {
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

/** The process that makes the load. */
export function startGenerator(): ChildProcess {
  return fork(join(ROOT, "bench/proxy/load.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** Small JSON by every way, at each concurrency. */
export async function measureJson(plan: Plan): Promise<BenchTable> {
  const { ways, concurrencies } = plan;
  const rows: Record<string, Cell>[] = [];
  await warmUp(plan, "json");
  for (const concurrency of concurrencies) {
    const samples = await inRounds(plan, { traffic: "json", concurrency, ms: JSON_MS });
    const rate = (sample: Sample) => (sample.requests * 1_000) / sample.elapsedMs;
    for (const { name } of ways) {
      const own = samples.filter(({ way }) => way === name);
      rows.push({
        way: name,
        concurrency,
        rate: spreadOf(own.map(rate)),
        toNginx: ratio(samples, name, NGINX, rate),
        toTunnel: ways.some((way) => way.name === TUNNEL) ? ratio(samples, name, TUNNEL, rate) : null,
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

/** Streams by every way, at each concurrency. */
export async function measureStreams(plan: Plan): Promise<BenchTable> {
  const { ways, concurrencies } = plan;
  const rows: Record<string, Cell>[] = [];
  await warmUp(plan, "stream");
  for (const concurrency of concurrencies) {
    const samples = await inRounds(plan, { traffic: "stream", concurrency, ms: STREAM_MS });
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

async function warmUp({ ways, generator }: Plan, traffic: Traffic): Promise<void> {
  for (const way of ways) {
    process.stderr.write(`${traffic}: warms up ${way.name}\n`);
    await sample(way, generator, { ...WARM_UP, traffic });
  }
}

async function inRounds({ ways, generator, rounds }: Plan, order: Load): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    process.stderr.write(`${order.traffic}, c = ${order.concurrency}: round ${round + 1} of ${rounds}\n`);
    for (const way of ways) samples.push(await sample(way, generator, order));
  }
  return samples;
}

async function sample(way: Way, generator: ChildProcess, order: Load): Promise<Sample> {
  const path: Record<Traffic, string> = { json: "/v1/chat/completions", stream: "/stream" };
  const used = () => Object.entries(way.pids).map(([name, pid]) => ({ name, us: ownTime(name, pid) }));
  const before = used();
  const signal = AbortSignal.timeout(order.ms + LOAD_LATE_MS_MAX);
  const answered = once(generator, "message", { signal }) as Promise<[LoadResult]>;
  const told: LoadOrder = { ...order, url: way.base + path[order.traffic], headers: way.headers };
  generator.send(told);
  const [result] = await answered.catch((error) => {
    throw signal.aborted ? new Error(`${way.name}: ${order.traffic}, c = ${order.concurrency}, did not end`) : error;
  });
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
