import { setTimeout as delay } from "node:timers/promises";
import { Caller } from "./agents/callers.ts";
import { Fleets } from "./agents/fleets.ts";
import { MeasuredServer } from "./agents/server.ts";
import { serviceEverywhere, servicesEverywhere } from "./agents/services.ts";
import { sharedNowMs } from "./proxy/traffic.ts";
import { type BenchResult, type Cell, quantile, significant } from "./support/report.ts";

const SIZES_DEFAULT = [1_000, 5_000, 10_000];
/** The project of the hosts that lose their links, and another one on the same server. */
const STORMY = "stormy";
const CALM = "calm";
const SERVICE = "still";
/** Callers go on for this long after the last host is back. */
const AFTERWARDS_MS = 2_000;
const REST_MS = 5_000;

type Row = Record<string, Cell>;

/**
 * All links of one project drop at once, with one job on each of its hosts: how long until all are back, and what others
 * notice meanwhile, who ask the API and the proxy for another project's service twenty times a second each.
 * @param options.agents how many; 1,000, 5,000 and 10,000 when it is not said
 */
export default async function bench({ agents }: { agents?: number }): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const size of agents === undefined ? SIZES_DEFAULT : [agents]) await measure(size, rows);
  return {
    about:
      "Simulated agents with the agent's own code for links and syncs, a thousand in a process, one job each, of services with a hundred replicas. A host is " +
      "back when a sync over its new link is answered. Agents and callers share the machine's cores with the server.",
    tables: [
      {
        title: "All links drop at once",
        columns: [
          { key: "agents", title: "agents" },
          { key: "what", title: "what happens" },
          { key: "p50", title: "back: p50", unit: "s" },
          { key: "p99", title: "p99", unit: "s" },
          { key: "last", title: "last", unit: "s" },
          { key: "cpu", title: "server's CPU", unit: "s" },
          { key: "api", title: "API: p50 / p99 / most", unit: "ms" },
          { key: "proxied", title: "proxied: p50 / p99 / most", unit: "ms" },
          { key: "failed", title: "failed" },
        ],
        rows,
      },
    ],
  };
}

async function measure(size: number, rows: Row[]): Promise<void> {
  const server = await MeasuredServer.start({ [STORMY]: size, [CALM]: 1 }, true);
  const stormy = new Fleets(size);
  const calm = new Fleets(1);
  /** @param begin is done when the hosts may come back */
  const storm = async (what: string, begin: () => Promise<unknown>, also: Fleets[]): Promise<void> => {
    process.stderr.write(`${size} agents: ${what}\n`);
    const since = sharedNowMs();
    await begin();
    const from = sharedNowMs();
    const cpu = server.cpuSeconds;
    const token = server.adminToken(CALM);
    const api = new Caller(`${server.url}/api/projects/${CALM}/services`, token, null);
    const proxied = new Caller(`${server.url}/proxy/services/${CALM}/${SERVICE}/v1/chat/completions`, token, "{}");
    const backAt = await Promise.all([stormy, ...also].map((fleets) => fleets.tell({ kind: "back", since })));
    const used = server.cpuSeconds - cpu;
    const back = (backAt[0] ?? []).map((at) => Math.max(0, at - from) / 1_000);
    await delay(AFTERWARDS_MS);
    const [ofApi, ofProxied] = [await api.stop(), await proxied.stop()];
    const row = {
      agents: size,
      what,
      p50: quantile(back, 0.5),
      p99: quantile(back, 0.99),
      last: quantile(back, 1),
      cpu: significant(used),
      api: `${ofApi.p50} / ${ofApi.p99} / ${ofApi.most}`,
      proxied: `${ofProxied.p50} / ${ofProxied.p99} / ${ofProxied.most}`,
      failed: `${ofApi.failed} of ${ofApi.asked}, ${ofProxied.failed} of ${ofProxied.asked}`,
    };
    process.stderr.write(`${JSON.stringify(row)}\n`);
    rows.push(row);
    await delay(REST_MS);
  };
  try {
    for (const [project, fleets] of [
      [STORMY, stormy],
      [CALM, calm],
    ] as const) {
      await fleets.adopt(server.url, project, server.hosts.get(project) ?? []);
      await fleets.tell({ kind: "link" });
      const hosts = project === CALM ? 1 : size;
      const configs = project === CALM ? [serviceEverywhere(SERVICE, hosts)] : servicesEverywhere(SERVICE, hosts);
      for (const config of configs) await server.client(project).apply({ config });
      await fleets.tell({ kind: "ready", jobs: 1 });
    }
    await delay(REST_MS);
    await storm("links are cut, all but the other project's", () => stormy.tell({ kind: "cut" }), []);
    await storm("server killed and started again: since it serves", async () => {
      await server.stop("SIGKILL");
      await server.run();
    }, [calm]);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}; the server said last: ${server.output}`);
  } finally {
    stormy.stop();
    calm.stop();
    await server.dispose();
  }
}
