import type { DesiredJob, Inventory, JobReport, RouterReport } from "../../../src/wire/index.ts";
import type { Action } from "../decide/types.ts";
import type { SyncFigures } from "../sync.ts";
import type { LastTurn, TurnLog } from "../turn-log.ts";
import type { UplinkFigures } from "../uplink.ts";

/** All that an agent tells of itself on its own machine. Instants are in ms since the epoch. */
export interface AgentView {
  version: string;
  node: string;
  pid: number;
  startedAt: number;
  server: string;
  project: string;
  fleet: string;
  host: string;
  dataDir: string;
  memoryBytes: number;
  cpuSeconds: number;
  loop: { looks: number; sumMs: number; maxMs: number };
  link: UplinkFigures;
  /** `link`, `requests` where none can be opened, null while the server is not heard at all. */
  heardBy: "link" | "requests" | null;
  syncs: SyncFigures & { failure: string };
  /** null before the control plane was ever heard. */
  desired: { version: number; hash: string; jobs: JobView[] } | null;
  jobs: JobReport[];
  routers: RouterReport[];
  runtimes: { name: string; usable: boolean; warnings: string[] }[];
  turns: Omit<TurnLog, "last" | "note">;
  lastTurn: TurnView | null;
  /** null when it could not be read. */
  inventory: Inventory | null;
  /** Of the file system that the data folder is on; null when it could not be read. */
  disk: { freeBytes: number; bytes: number } | null;
}

/**
 * What of a job may be shown: named field by field, so that what is added to a job one day stays hidden until somebody
 * has thought about it. Values of the environment, the registry's login, and what probes send can be secrets; so can the
 * path of a probe, and the commands where their author was careless.
 */
export function viewJob({ launch, probes, workers, ...job }: DesiredJob) {
  const { runtime, image, shell, env, workingDir, files, container } = launch;
  return {
    job: job.job,
    replica: job.replica,
    service: job.service,
    group: job.group,
    role: job.role,
    created: job.created,
    phase: job.phase,
    port: job.port,
    ports: job.ports,
    accelerators: job.accelerators,
    engine: job.engine,
    router: job.router,
    behindRouter: job.behindRouter,
    launch: {
      runtime,
      image,
      shell,
      workingDir,
      /** Names alone. */
      env: Object.keys(env).sort(),
      files: files.map(({ path, bytes }) => ({ path, bytes })),
      container: container && {
        image: container.image,
        hasRegistryAuth: container.registryAuth !== null,
        user: container.user,
        privileged: container.privileged,
        shmBytes: container.shmBytes,
        volumes: container.volumes.map(({ source, target }) => ({ source, target })),
      },
    },
    probes: probes.map(({ method, timeoutMs, intervalMs, readyAfter }) => ({
      method,
      timeoutMs,
      intervalMs,
      readyAfter,
    })),
    workers: workers.map(({ replica, url, role, bootstrapPort }) => ({ replica, url, role, bootstrapPort })),
  };
}

export type JobView = ReturnType<typeof viewJob>;

/** A job's report without the last lines of its log, in which anything may stand. */
export function viewReport(report: JobReport): JobReport {
  return report.lastEnd === null ? report : { ...report, lastEnd: { ...report.lastEnd, tail: "" } };
}

/** A decision, without the last lines of logs, and without what is no more than a copy of the desired state. */
export function viewTurn({ at, runs, busy, answers, actions, wakeInMs }: LastTurn) {
  return {
    at,
    runs: runs.map((run) => (run.end === null ? run : { ...run, end: { ...run.end, tail: "" } })),
    busy,
    answers,
    actions: actions.map(viewAction),
    wakeInMs,
  };
}

export type TurnView = ReturnType<typeof viewTurn>;

function viewAction(action: Action) {
  if (action.kind !== "add") return action;
  const { kind, job, incarnation, worker } = action;
  return { kind, job, incarnation, replica: worker.replica, url: worker.url };
}
