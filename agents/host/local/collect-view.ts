import type { DesiredState, Inventory } from "../../../src/wire/index.ts";
import { diskAt } from "../inventory/disks.ts";
import { reportJobs, reportRouters } from "../job-report.ts";
import { ownLooks } from "../path-looks.ts";
import type { Runtime } from "../runtime/types.ts";
import type { Supervisor } from "../supervisor.ts";
import type { Sync } from "../sync.ts";
import type { Uplink } from "../uplink.ts";
import type { LoopDelay } from "./loop-delay.ts";
import { type AgentView, viewJob, viewReport, viewTurn } from "./view.ts";

interface ViewParts {
  version: string;
  server: string;
  dataDir: string;
  host: { project: string; fleet: string; host: string };
  supervisor: Pick<Supervisor, "desired" | "memory" | "turns">;
  /** Name of the content of what is desired. */
  hash: () => string;
  sync: Pick<Sync, "figures" | "failure" | "posting">;
  uplink: Pick<Uplink, "figures">;
  runtimes: readonly Pick<Runtime, "name" | "usable" | "warnings">[];
  inventory: () => Promise<Inventory>;
  loop: Pick<LoopDelay, "looks" | "sumMs" | "maxMs">;
  /** The clock of decisions, in ms. */
  now: () => number;
}

/** Gathers what the agent tells of itself at this moment. */
export async function collectView(parts: ViewParts): Promise<AgentView> {
  const { supervisor, sync, runtimes, loop } = parts;
  const { project, fleet, host } = parts.host;
  const { user, system } = process.cpuUsage();
  const { last, turns, starts, restarts, startsFailed, probes, probesFailed } = supervisor.turns;
  const link = parts.uplink.figures;
  return {
    version: parts.version,
    node: process.versions.node,
    pid: process.pid,
    startedAt: Math.round(Date.now() - process.uptime() * 1_000),
    server: parts.server,
    project,
    fleet,
    host,
    dataDir: parts.dataDir,
    memoryBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    loop: { looks: loop.looks, sumMs: loop.sumMs, maxMs: loop.maxMs },
    link,
    heardBy: link.since !== null ? "link" : sync.posting ? "requests" : null,
    syncs: { ...sync.figures, failure: sync.failure },
    desired: viewDesired(supervisor.desired, parts.hash()),
    jobs: reportJobs(supervisor.desired, supervisor.memory, parts.now()).map(viewReport),
    routers: reportRouters(supervisor.memory),
    runtimes: runtimes.map(({ name, usable, warnings }) => ({ name, usable, warnings })),
    turns: { turns, starts, restarts, startsFailed, probes, probesFailed },
    lastTurn: last && viewTurn(last),
    inventory: await parts.inventory().catch(() => null),
    disk: await diskAt(parts.dataDir, ownLooks).catch(() => null),
  };
}

function viewDesired(desired: DesiredState | null, hash: string): AgentView["desired"] {
  return desired && { version: desired.version, hash, jobs: desired.jobs.map(viewJob) };
}
