import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import type { DesiredState, Inventory, Report } from "../../src/wire/index.ts";
import { JobAsker } from "./ask.ts";
import { Post } from "./carriers.ts";
import type { Instant } from "./decide/types.ts";
import { EMPTY_MEMORY } from "./decide.ts";
import { Deliveries } from "./deliveries.ts";
import { jobEnvironment } from "./environment.ts";
import { Forwarder } from "./forward.ts";
import { JobAddresses } from "./job-address.ts";
import { reportJobs, reportRouters } from "./job-report.ts";
import { ensureJoined } from "./join.ts";
import { collectView } from "./local/collect-view.ts";
import { openLocalSocket } from "./local/local-socket.ts";
import { LoopDelay } from "./local/loop-delay.ts";
import { lockDataDir } from "./lock.ts";
import type { Log } from "./log.ts";
import { PeerWatch } from "./peers/peer-watch.ts";
import { PortWatch } from "./port-watch.ts";
import { answerQuestion } from "./questions.ts";
import { serveRequests } from "./requests.ts";
import type { Runtime } from "./runtime/types.ts";
import { sameJson } from "./same-json.ts";
import { StateFile } from "./state-file.ts";
import { StateLog } from "./state-log.ts";
import { findStatePlace } from "./state-place.ts";
import { Supervisor } from "./supervisor.ts";
import { Sync } from "./sync.ts";
import type { Installation } from "./update/installation.ts";
import { Updater } from "./update/updater.ts";
import { Uplink } from "./uplink.ts";

/** What the host has is read again this often, and ports that others listen on. */
const FACTS_MS_MAX = 30_000;

/** What is read from the machine. */
export interface HostFacts {
  /** Names the machine for good, and its boot. */
  machine: string;
  bootId: string;
  /** The address at which other hosts and the jobs' peers reach this one. */
  address: string;
  inventory: () => Promise<Inventory>;
  /** Tells from now on when the inventory is another one than before, whoever asks for it. */
  watch: (changed: () => void) => void;
  /** Ports that something listens on, without the given ones. */
  busyPorts: (own: number[]) => Promise<number[]>;
}

export interface AgentParts {
  /** `http://` or `https://` and host, without a path. */
  server: string;
  /** null for an agent that has joined before. */
  joinToken: string | null;
  /** null: the machine's hostname. */
  name: string | null;
  /** For this agent alone; made when it is missing. */
  dataDir: string;
  /** End the jobs when the agent ends, and keep nothing of them: for demos. Otherwise they run on and are adopted. */
  stopJobsOnExit: boolean;
  facts: HostFacts;
  runtimes: Runtime[];
  replaceable?: Replaceable | null;
  log: Log;
}

/** How an agent that was installed gives way to another build of itself. One without this is left alone. */
export interface Replaceable {
  installation: Installation;
  /** Told when the other build is to take over: whoever started the agent closes it and ends the process. */
  replaced: () => void;
}

export interface RunningAgent {
  host: string;
  /** Ends the agent. Jobs run on unless they were to be stopped. */
  close(): Promise<void>;
}

/** How long jobs may take from SIGTERM to their end when the agent takes them with it. SMG alone takes 5 s. */
const EXIT_STOP_MS = 15_000;

/**
 * Joins where the host has not yet, takes up what it last had to run, and keeps to what the server says from then on.
 * @throws Error for people when it cannot join or another agent works in the data folder
 */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const { log, facts } = parts;
  const dataDir = resolve(parts.dataDir);
  await mkdir(dataDir, { recursive: true });
  const unlock = await lockDataDir(dataDir);
  try {
    const inventory = cached(facts.inventory, FACTS_MS_MAX);
    const { host, joined } = await ensureJoined({
      server: parts.server,
      dataDir,
      token: parts.joinToken,
      fleet: null,
      request: async () => ({
        name: parts.name ?? hostname(),
        machine: facts.machine,
        agentVersion: manifest.version,
        inventory: await inventory(),
      }),
    });
    if (joined) log("info", "joined", { server: parts.server, host: host.host, fleet: host.fleet });
    return await supervise({ ...parts, dataDir }, host, inventory, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function supervise(
  parts: AgentParts,
  host: { project: string; fleet: string; host: string; credential: string },
  inventory: Cached<Inventory>,
  unlock: () => Promise<void>,
): Promise<RunningAgent> {
  const { log, facts, runtimes, server } = parts;
  const place = await findStatePlace(parts.dataDir);
  if (!place.inMemory) log("warn", "no tmpfs of its own: job secrets are kept on disk", { file: place.file });
  const file = new StateFile(place.file, facts.bootId);
  const known = await file.load();
  let hash = known?.hash ?? "";

  const addresses = new JobAddresses(facts.address);
  const asker = new JobAsker(addresses);
  const deliveries = new Deliveries(server, host.credential);
  const forwarder = new Forwarder(addresses);
  const states = new StateLog(log);
  const ports = new PortWatch(() => busyPorts.forget());
  let told: ReturnType<typeof jobsNow> | null = null;
  const supervisor = new Supervisor(
    {
      runtimes,
      environment: async (job) => {
        const { variables, derived } = jobEnvironment(job, await inventory(), process.env);
        for (const { name, value, reason } of derived) {
          log("info", `${name}=${value} for a job: ${reason}`, { job: job.job });
        }
        return variables;
      },
      ask: (question, job) =>
        answerQuestion(question, job, asker, {
          openRequests: (port) => forwarder.openOn(port),
          holderOf: ({ job, port }) =>
            ports.holderOf(port, async () => (await supervisor.runtimeOf(job)?.processes(job)) ?? null),
        }),
      fetchFile: (wanted) => deliveries.fetch(wanted),
      beforeStart: async (job) => {
        addresses.forget(job.port);
        await ports.assertFree(job.ports);
      },
      save: (desired, memory) => file.save({ hash, desired, memory }),
      decided: () => {
        const news = jobsNow();
        if (sameJson(news, told)) return;
        told = news;
        states.note(news.jobs);
        // What became of a job may say something of the host: of its disk, say.
        inventory.forget();
        sync.soon();
      },
      now: bootClock,
      log,
    },
    known?.desired ?? null,
    known?.memory ?? EMPTY_MEMORY,
  );
  const jobsNow = () => ({
    jobs: reportJobs(supervisor.desired, supervisor.memory, bootClock()),
    routers: reportRouters(supervisor.memory),
  });
  const busyPorts = cached(() => facts.busyPorts(ports.own(ownPorts(supervisor.desired))), FACTS_MS_MAX);

  const peers = new PeerWatch({ changed: () => sync.soon(), now: bootClock });
  const { installation, replaced } = parts.replaceable ?? { installation: null, replaced: () => undefined };
  const updater = installation && new Updater({ installation, end: replaced, changed: () => sync.soon(), log });
  const post = new Post(server, host.credential);
  const self = {
    version: manifest.version,
    bootId: facts.bootId,
    machine: facts.machine,
    incarnation: randomUUID(),
  };
  const sync = new Sync({
    ...host,
    agent: () => (installation === null ? self : { ...self, installed: installation.state }),
    accepted: async () => updater?.accepted(),
    update: (told) => updater?.told(told),
    held: () => ({ desired: supervisor.desired, hash }),
    report: async (): Promise<Omit<Report, "agent" | "seq">> => ({
      inventory: await inventory(),
      busyPorts: await busyPorts(),
      applied: { version: supervisor.desired?.version ?? 0, hash },
      ...jobsNow(),
      peers: peers.report(),
    }),
    take: async (desired: DesiredState, name: string) => {
      hash = name;
      await supervisor.want(desired);
    },
    takePeers: (list) => peers.want(list),
    post: post.carry,
    log,
  });
  const uplink = new Uplink({
    server,
    credential: host.credential,
    handler: serveRequests({
      desired: () => supervisor.desired,
      memory: () => supervisor.memory,
      runtimeOf: (job) => supervisor.runtimeOf(job),
      forwarder,
      wake: () => sync.soon(),
    }),
    opened: (link, closed) => sync.use(link, closed),
    failed: () => sync.goWithoutLink(),
    isHeard: () => sync.posting,
    log,
  });

  const loop = new LoopDelay();
  const { dataDir } = parts;
  const about = { version: manifest.version, server, dataDir, host, hash: () => hash, now: bootClock };
  const view = () => collectView({ ...about, supervisor, sync, uplink, runtimes, inventory, loop });

  // What it last had to run is taken up before the server is reached, which may be never.
  await supervisor.start();
  uplink.start();
  facts.watch(() => {
    inventory.forget();
    sync.soon();
  });
  const closeLocalSocket = await openLocalSocket(dataDir, view, log);
  return {
    host: host.host,
    close: async () => {
      loop.close();
      await closeLocalSocket();
      await updater?.close();
      await sync.close();
      await peers.close();
      await uplink.close();
      if (parts.stopJobsOnExit) {
        await supervisor.stopJobs(EXIT_STOP_MS);
        await file.remove();
      } else {
        await supervisor.close();
        // A host that runs nothing has nothing to remember, and leaves nothing behind.
        if (jobsNow().jobs.length === 0) await file.remove();
      }
      await Promise.all([
        post.close(),
        asker.close(),
        forwarder.close(),
        ...runtimes.map((runtime) => runtime.close()),
      ]);
      await unlock();
    },
  };
}

function ownPorts(desired: DesiredState | null): number[] {
  return (desired?.jobs ?? []).flatMap((job) => job.ports);
}

/** Milliseconds since the machine's boot: goes forward only, and counts on when the agent is another process. */
function bootClock(): Instant {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

interface Cached<T> {
  (): Promise<T>;
  /** The next call reads again. */
  forget(): void;
}

/** Calls again only when the last value is older than this; callers in between share one call. */
function cached<T>(read: () => Promise<T>, maxAgeMs: number): Cached<T> {
  let value: Promise<T> | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  const forget = () => {
    value = null;
  };
  const get = () => {
    if (value === null || performance.now() - readAt > maxAgeMs) {
      readAt = performance.now();
      value = read();
      value.catch(forget);
    }
    return value;
  };
  return Object.assign(get, { forget });
}
