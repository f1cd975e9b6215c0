import { setTimeout as delay } from "node:timers/promises";
import { FIRST_PROJECT } from "../src/node/first-start.ts";
import { fitLine } from "./agents/fit.ts";
import { Fleets } from "./agents/fleets.ts";
import { MeasuredServer } from "./agents/server.ts";
import { fillingServices, serviceEverywhere } from "./agents/services.ts";
import { sharedNowMs } from "./proxy/traffic.ts";
import { type BenchResult, type Cell, quantile, significant } from "./support/report.ts";

const SIZES_DEFAULT = [1_000, 5_000];
const JOBS_EACH = 10;
/** What agents are told to come back after: with jobs, and without. */
const INTERVAL_MS = { jobs: 10_000, idle: 120_000 };
/** How long a steady state is looked at. */
const WINDOW_MS = 30_000;
/** What a change has set going comes to rest within this. */
const SETTLE_MS = 12_000;
const MINUTE_MS = 60_000;
/** For how many hosts a process is reckoned by the fit. */
const RECKONED = [10_000, 20_000];

type Row = Record<string, Cell>;

/** A steady state, as the server's process and its agents saw it. */
interface Steady {
  /** Of one core. */
  cpuPercent: number;
  residentMb: number;
  syncs: number;
  p50: number;
  p99: number;
  failed: number;
  commitsPerMinute: number;
  isWritten: boolean;
}

/**
 * Simulated agents that speak the real protocol, in processes of their own, against one control plane with its embedded
 * database: what they cost it at rest, how long it takes to answer them, and how fast a change reaches them all.
 * @param options.agents how many; 1,000 and then 5,000 when it is not said
 */
export default async function bench({ agents }: { agents?: number }): Promise<BenchResult> {
  const sizes = agents === undefined ? SIZES_DEFAULT : [agents];
  const steady: Row[] = [];
  const events: Row[] = [];
  for (const size of sizes) await measure(size, steady, events);
  return {
    about:
      `Simulated agents with the agent's own code for links and syncs, a thousand in a process, against one server; ` +
      `${JOBS_EACH} jobs each where they have jobs: services of a router and 124 workers. The agents share the machine's ` +
      "cores with the server, so times are upper bounds; processor and memory are the server's process alone.",
    tables: [
      {
        title: `At rest: hosts with jobs sync every ${INTERVAL_MS.jobs / 1_000} s, idle ones every ${INTERVAL_MS.idle / 1_000} s`,
        columns: [
          { key: "agents", title: "agents" },
          { key: "jobs", title: "jobs each" },
          { key: "syncs", title: "syncs", unit: "1/s" },
          { key: "p50", title: "sync p50", unit: "ms" },
          { key: "p99", title: "p99", unit: "ms" },
          { key: "failed", title: "failed" },
          { key: "cpu", title: "CPU", unit: "% of a core" },
          { key: "cpuPer1000", title: "per 1,000", unit: "%" },
          { key: "memory", title: "memory", unit: "MB" },
          { key: "memoryPer1000", title: "per 1,000", unit: "MB" },
          { key: "commits", title: "commits", unit: "1/min" },
          { key: "written", title: "database written to" },
        ],
        rows: [...steady, ...reckoned(steady)],
      },
      {
        title: "What happens to all at once",
        columns: [
          { key: "agents", title: "agents" },
          { key: "what", title: "what" },
          { key: "p50", title: "p50", unit: "s" },
          { key: "p99", title: "p99", unit: "s" },
          { key: "last", title: "last", unit: "s" },
          { key: "cpu", title: "server's CPU", unit: "s" },
          { key: "commits", title: "commits" },
          { key: "syncs", title: "syncs" },
        ],
        rows: events,
      },
    ],
  };
}

async function measure(size: number, steady: Row[], events: Row[]): Promise<void> {
  const server = await MeasuredServer.start({ [FIRST_PROJECT]: size }, false);
  const fleets = new Fleets(size);
  const client = server.client(FIRST_PROJECT);
  /** Does something that concerns all, and adds what it cost. @returns what it returns */
  const event = async (what: string, run: (began: number) => Promise<number[]>): Promise<void> => {
    process.stderr.write(`${size} agents: ${what}\n`);
    await fleets.seen();
    const [cpu, version, began] = [server.cpuSeconds, await server.version(FIRST_PROJECT), sharedNowMs()];
    const at = await run(began);
    const took = at.map((moment) => (moment - began) / 1_000);
    const row = {
      agents: size,
      what,
      p50: quantile(took, 0.5),
      p99: quantile(took, 0.99),
      last: quantile(took, 1),
      cpu: significant(server.cpuSeconds - cpu),
      commits: (await server.version(FIRST_PROJECT)) - version,
      syncs: (await fleets.seen()).syncMs.length,
    };
    process.stderr.write(`${JSON.stringify(row)}\n`);
    events.push(row);
  };
  const atRest = async (jobs: number, intervalMs: number): Promise<void> => {
    await delay(SETTLE_MS);
    const found = await steadyState(server, fleets, intervalMs);
    const row = {
      agents: size,
      jobs,
      syncs: significant(found.syncs / (WINDOW_MS / 1_000)),
      p50: found.p50,
      p99: found.p99,
      failed: found.failed,
      cpu: significant(found.cpuPercent),
      cpuPer1000: significant((found.cpuPercent * 1_000) / size),
      memory: Math.round(found.residentMb),
      memoryPer1000: significant(((found.residentMb - emptyMb) * 1_000) / size),
      commits: found.commitsPerMinute,
      written: found.isWritten ? "yes" : "no",
    };
    process.stderr.write(`${JSON.stringify(row)}\n`);
    steady.push(row);
  };
  const emptyMb = server.residentMb;
  try {
    await event("joined", async () => {
      await fleets.join(server.url, server.joins.get(FIRST_PROJECT) ?? []);
      return [sharedNowMs()];
    });
    await event("linked and synced", async (began) => {
      await fleets.tell({ kind: "link" });
      return fleets.tell({ kind: "back", since: began });
    });
    await atRest(0, INTERVAL_MS.idle);
    await event(`${JOBS_EACH} jobs each applied and ready`, async () => {
      for (const config of fillingServices(size * JOBS_EACH)) await client.apply({ config });
      await fleets.tell({ kind: "ready", jobs: JOBS_EACH });
      return [sharedNowMs()];
    });
    await atRest(JOBS_EACH, INTERVAL_MS.jobs);
    await event("told of one more job each", async () => {
      await client.apply({ config: serviceEverywhere("everywhere", size) });
      return fleets.tell({ kind: "told", service: "everywhere" });
    });
    await event("and it is ready", async () => {
      await fleets.tell({ kind: "ready", jobs: JOBS_EACH + 1 });
      return [sharedNowMs()];
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}; the server said last: ${server.output}`);
  } finally {
    fleets.stop();
    await server.dispose();
  }
}

async function steadyState(server: MeasuredServer, fleets: Fleets, intervalMs: number): Promise<Steady> {
  // As if they had joined at any time, not all at once a moment ago.
  await fleets.tell({ kind: "spread", overMs: intervalMs });
  if (intervalMs < WINDOW_MS) await delay(intervalMs);
  await fleets.seen();
  const before = { cpu: server.cpuSeconds, version: await server.version(FIRST_PROJECT), mark: server.databaseMark };
  const began = performance.now();
  const memory: number[] = [];
  while (performance.now() - began < WINDOW_MS) {
    await delay(1_000);
    memory.push(server.residentMb);
  }
  const ms = performance.now() - began;
  const { syncMs, failed } = await fleets.seen();
  return {
    cpuPercent: ((server.cpuSeconds - before.cpu) / ms) * 100_000,
    // What lies above the least is garbage that was not collected yet.
    residentMb: Math.min(...memory),
    syncs: syncMs.length,
    p50: quantile(syncMs, 0.5),
    p99: quantile(syncMs, 0.99),
    failed,
    commitsPerMinute: significant((((await server.version(FIRST_PROJECT)) - before.version) * MINUTE_MS) / ms),
    isWritten: server.databaseMark !== before.mark,
  };
}

/** What a process would need for more hosts with jobs than were measured, by a line through what was. */
function reckoned(rows: Row[]): Row[] {
  const withJobs = rows.filter(({ jobs }) => jobs === JOBS_EACH);
  if (withJobs.length < 2) return [];
  const line = (key: string) => fitLine(withJobs.map((row) => ({ x: Number(row.agents), y: Number(row[key]) })));
  const [cpu, memory] = [line("cpu"), line("memory")];
  return RECKONED.map((agents) => ({
    agents: `${agents}, reckoned`,
    jobs: JOBS_EACH,
    cpu: significant(cpu.at0 + cpu.slope * agents),
    memory: Math.round(memory.at0 + memory.slope * agents),
  }));
}
