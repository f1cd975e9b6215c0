import { setTimeout as delay } from "node:timers/promises";
import { EdgePlane } from "../../test/support/edge/edge-plane.ts";
import { until } from "../../test/support/processes.ts";
import type { Seen } from "../agents/orders.ts";
import { serviceEverywhere } from "../agents/services.ts";
import { SimulatedAgent } from "../agents/simulated-agent.ts";
import { cpuUs } from "../proxy/cpu.ts";
import type { BenchTable } from "../support/report.ts";
import { costBetween, markOf, perOne } from "./counted.ts";

const HOSTS = 100;
const MINUTE_MS = 60_000;
/** What a change sets going has come to rest by then: wake-ups, syncs, the last alarm of a host that is looked after. */
const REST_MS = 20_000;

/** What a minute costs in which nothing happens, with agents that sync as real ones do. */
export async function measureMinutes(): Promise<BenchTable> {
  await using ends = new AsyncDisposableStack();
  const plane = ends.use(await EdgePlane.start());
  const seen: Seen = { syncMs: [], failed: 0, failure: null, refused: 0, posted: 0, linked: 0 };
  const agents: SimulatedAgent[] = [];
  for (let serial = 0; serial < HOSTS; serial += 1) {
    const machine = `host-${serial}`;
    const { host, credential } = await plane.join(machine, await plane.joinToken());
    const agent = new SimulatedAgent(plane.url, { project: "main", host, credential, machine }, serial, seen);
    ends.defer(() => agent.stop());
    agent.start();
    agents.push(agent);
  }
  const all = (holds: (agent: SimulatedAgent) => boolean) =>
    until(
      () => agents.every(holds),
      () => `${agents.filter(holds).length} of ${HOSTS} hosts; ${seen.failure ?? ""} ${plane.output()}`,
    );
  await all((agent) => agent.backAt(0) !== null);
  const idle = await minute(plane, `${HOSTS} hosts that run nothing`);
  await plane.client().apply({ config: serviceEverywhere("everywhere", HOSTS), file: "everywhere.yml", env: {} });
  await all((agent) => agent.runs(1));
  const busy = await minute(plane, `${HOSTS} hosts with a job each`);
  if (seen.failed > 0) throw new Error(`${seen.failed} syncs failed: ${seen.failure}`);
  return {
    title: "A minute in which nothing happens, per host",
    columns: [
      { key: "what", title: "project of" },
      { key: "database", title: "requests to the database, all hosts" },
      { key: "among", title: "among Worker and objects" },
      { key: "messages", title: "messages over links" },
      { key: "alarms", title: "alarms" },
      { key: "writes", title: "rows written by objects" },
      { key: "cpu", title: "CPU of workerd, all hosts", unit: "ms" },
    ],
    rows: [idle, busy],
  };
}

async function minute(plane: EdgePlane, what: string) {
  await delay(REST_MS);
  process.stderr.write(`a minute of ${what}\n`);
  const before = cpuUs(plane.pid, false);
  const began = await markOf(plane);
  await delay(MINUTE_MS);
  const cost = costBetween(began, await markOf(plane));
  const cpu = (cpuUs(plane.pid, false) - before) / 1_000;
  return { what, ...perOne(cost, HOSTS), database: cost.database, cpu };
}
