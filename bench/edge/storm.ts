import { setTimeout as delay } from "node:timers/promises";
import { FIRST_PROJECT } from "../../src/node/first-start.ts";
import { commitOf } from "../../test/contract/store-samples.ts";
import { EdgePlane } from "../../test/support/edge/edge-plane.ts";
import { Caller } from "../agents/callers.ts";
import { Fleets } from "../agents/fleets.ts";
import type { JoinedHost } from "../agents/orders.ts";
import { hostOf, putHostCredentials } from "../agents/seeded.ts";
import { servicesEverywhere } from "../agents/services.ts";
import { cpuUs } from "../proxy/cpu.ts";
import { sharedNowMs } from "../proxy/traffic.ts";
import { type BenchTable, quantile, significant } from "../support/report.ts";

const HOSTS = 1_000;
const SERVICE = "still";
/** Callers go on for this long after the last host is back. */
const AFTERWARDS_MS = 2_000;
const REST_MS = 10_000;

/**
 * All links drop at once, with a job on each host, or workerd is killed and started again, as a deployment would end all
 * objects: how long until all hosts are back, and what a caller of the API notices. On the platform each link's object
 * has a processor of its own; here one process is all of them.
 */
export async function measureStorms(): Promise<BenchTable> {
  let hosts: JoinedHost[] = [];
  await using plane = await EdgePlane.start(async (store) => {
    const puts = Array.from({ length: HOSTS }, (_, serial) => hostOf(serial));
    await store.commit(commitOf(FIRST_PROJECT, 2, crypto.randomUUID(), { puts }));
    hosts = await putHostCredentials(store, FIRST_PROJECT, HOSTS);
  });
  const fleets = new Fleets(HOSTS);
  const storm = async (what: string, begin: () => Promise<unknown>) => {
    process.stderr.write(`${HOSTS} hosts: ${what}\n`);
    const since = sharedNowMs();
    await begin();
    const from = sharedNowMs();
    const cpu = cpuUs(plane.pid, false);
    const caller = new Caller(`${plane.url}/api/projects/${FIRST_PROJECT}/services/${SERVICE}-0`, plane.token, null);
    const back = (await fleets.tell({ kind: "back", since })).map((at) => Math.max(0, at - from) / 1_000);
    const used = (cpuUs(plane.pid, false) - cpu) / 1e6;
    await delay(AFTERWARDS_MS);
    const api = await caller.stop();
    await delay(REST_MS);
    return {
      what,
      hosts: HOSTS,
      p50: quantile(back, 0.5),
      last: quantile(back, 1),
      cpu: significant(used),
      api: `${api.p50} / ${api.p99} / ${api.most}`,
      failed: `${api.failed} of ${api.asked}`,
    };
  };
  try {
    await fleets.adopt(plane.url, FIRST_PROJECT, hosts);
    await fleets.tell({ kind: "link" });
    for (const config of servicesEverywhere(SERVICE, HOSTS)) await plane.client().apply({ config });
    await fleets.tell({ kind: "ready", jobs: 1 });
    await delay(REST_MS);
    const rows = [
      await storm("links are cut", () => fleets.tell({ kind: "cut" })),
      await storm("workerd killed and started again: since it serves", async () => {
        await plane.stop();
        await plane.run();
      }),
    ];
    return {
      title: "All links drop at once",
      columns: [
        { key: "hosts", title: "hosts" },
        { key: "what", title: "what happens" },
        { key: "p50", title: "back: p50", unit: "s" },
        { key: "last", title: "last", unit: "s" },
        { key: "cpu", title: "CPU of workerd", unit: "s" },
        { key: "api", title: "API: p50 / p99 / most", unit: "ms" },
        { key: "failed", title: "failed" },
      ],
      rows,
    };
  } finally {
    fleets.stop();
  }
}
