import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { listProcesses } from "../../agents/host/runtime/process/proc.ts";
import { readJob } from "../../agents/host/runtime/process/records.ts";
import { readWorkers } from "../../src/adapters/smg-workers.ts";
import type { ListedWorker } from "../../src/adapters/types.ts";
import { createClient } from "../../src/api/client.ts";
import type { CommitView, ReplicaView, ServiceView } from "../../src/control/views/views.ts";
import { chat } from "../support/chat.ts";
import { BRIDGE_ADDRESS, HostNetwork } from "../support/host-network.ts";
import { CLI, type Running, runProcess, startProcess, until } from "../support/processes.ts";
import { CONFIG, HOSTS, type HostName, MODEL, SERVICE } from "./service.ts";

const PORT = 3_000;
const HOST_NAMES = Object.keys(HOSTS) as HostName[];
/** The router is asked this often while something is waited for there: a tenth of what the shortest budget allows. */
const LOOK_MS = 50;
/** Of commits read at a time; a drill makes a few dozen. */
const COMMITS_MAX = 500;

/** Events of replicas that leave, or seem to. */
const UPSETS = new Set(
  ["suspect", "lost", "unlisting", "quiescing", "stopping", "gone"].map((status) => `replica.${status}`),
);

/** More environment for some processes of Headrace. */
export interface Starts {
  server?: NodeJS.ProcessEnv;
  agents?: Partial<Record<HostName, NodeJS.ProcessEnv>>;
}

/** A control plane and three hosts that run the drills' service, each process of which can be killed and started again. */
export class DrillCluster {
  readonly network = HostNetwork.make(HOST_NAMES);
  readonly url = `http://${BRIDGE_ADDRESS}:${PORT}`;
  readonly folder: string;
  readonly #pythonBin: string;
  #starts: Starts = {};
  readonly agents = new Map<HostName, Running>();
  server: Running | null = null;
  token = "";

  /** @param folder that is the cluster's own @param pythonBin where `python3` and `smg` are */
  constructor(folder: string, pythonBin: string) {
    this.folder = folder;
    this.#pythonBin = pythonBin;
  }

  /** Starts everything and waits until the service serves. */
  async start(starts: Starts = {}): Promise<void> {
    this.#starts = starts;
    await this.startServer();
    const env = { ...this.#env(), HEADRACE_SERVER: this.url };
    this.token = (await runProcess([process.execPath, CLI, "token", "show"], env)).stdout.trim();
    for (const host of HOST_NAMES) {
      const { token } = await this.client().createToken({ kind: "join", name: host });
      this.startAgent(host, { HEADRACE_JOIN_TOKEN: token });
    }
    await this.untilOnline();
    await this.untilSpread();
    await this.client().apply({ config: CONFIG });
    await this.untilReady();
    await this.untilListed(4);
  }

  /** Returns when it serves. */
  async startServer(): Promise<void> {
    const flags = ["--host", BRIDGE_ADDRESS, "--port", String(PORT), "--data-dir", this.serverFolder];
    this.server = startProcess([process.execPath, CLI, "server", ...flags], {
      ...this.#env(),
      ...this.#starts.server,
    });
    const { server } = this;
    await until(() => server.output().includes("serves at"), server.output);
  }

  /** Starts a host's agent, for the first time with a join token in `env`. */
  startAgent(host: HostName, env: NodeJS.ProcessEnv = {}): void {
    const declared = join(this.folder, `${host}.json`);
    writeFileSync(declared, JSON.stringify(HOSTS[host]));
    const flags = ["--server", this.url, "--name", host, "--data-dir", this.agentFolder(host), "--declare", declared];
    const command = ["ip", "netns", "exec", host, process.execPath, CLI, "agent", ...flags, "--job-user", "same"];
    const path = [this.#pythonBin, process.env.PATH].join(delimiter);
    this.agents.set(
      host,
      startProcess(command, { ...this.#env(), PATH: path, ...this.#starts.agents?.[host], ...env }),
    );
  }

  agent(host: HostName): Running {
    const agent = this.agents.get(host);
    if (!agent) throw new Error(`${host} has no agent`);
    return agent;
  }

  get serverFolder(): string {
    return join(this.folder, "server");
  }

  agentFolder(host: HostName): string {
    return join(this.folder, host);
  }

  client() {
    return createClient({ server: this.url, token: this.token, project: "main" });
  }

  view(): Promise<ServiceView> {
    return this.client().service(SERVICE);
  }

  /** One of the service's replicas that is ready. */
  async replica(group: string, host?: HostName): Promise<ReplicaView> {
    const { replicas } = await this.view();
    const found = replicas.find(
      (one) => one.group === group && one.status === "ready" && (!host || this.hostOf(one) === host),
    );
    if (!found) throw new Error(`no ${group} is ready${host ? ` on ${host}` : ""}: ${JSON.stringify(replicas)}`);
    return found;
  }

  hostOf(replica: ReplicaView): HostName | null {
    return HOST_NAMES.find((host) => replica.host === host || replica.host?.startsWith(`${host}-`)) ?? null;
  }

  urlOf(replica: ReplicaView): string {
    const host = this.hostOf(replica);
    if (!host) throw new Error(`replica ${replica.id} has no host`);
    return `http://${this.network.addressOf(host)}:${replica.port}`;
  }

  /** Where the router itself listens, for clients that do not go through the control plane. */
  async routerUrl(): Promise<string> {
    return this.urlOf(await this.replica("router"));
  }

  get serviceUrl(): string {
    return `${this.url}/proxy/services/main/${SERVICE}`;
  }

  /** What a router lists now; null when it does not answer. */
  async workersOf(router: string): Promise<ListedWorker[] | null> {
    try {
      const answer = await fetch(`${router}/workers`, { signal: AbortSignal.timeout(1_000) });
      return readWorkers(answer.status, await answer.text());
    } catch {
      return null;
    }
  }

  async untilReady(withinMs = 60_000): Promise<void> {
    await this.untilView((view) => view.ready, "the service is not ready", withinMs);
  }

  async untilView(holds: (view: ServiceView) => boolean, what: string, withinMs = 60_000): Promise<void> {
    let view: ServiceView | null = null;
    const describe = () => `${what}: ${JSON.stringify(view, null, 1)}`;
    await until(
      async () => {
        view = await this.view().catch(() => null);
        return view !== null && holds(view);
      },
      describe,
      withinMs,
    );
  }

  /** Waits until a host's agent, which may have been started again, has a link of its own. */
  async untilLinked(host: HostName): Promise<void> {
    const agent = this.agent(host);
    await until(() => agent.output().includes('"linked to the server"'), agent.output);
    await this.untilOnline();
  }

  async untilOnline(): Promise<void> {
    const online = async () => (await this.client().hosts()).filter((host) => host.online).length;
    await until(
      async () => (await online().catch(() => 0)) === HOST_NAMES.length,
      () => HOST_NAMES.map((host) => this.agents.get(host)?.output()).join("\n"),
    );
  }

  /** Waits until every host would be given something: a host that has not reported yet is given nothing. */
  async untilSpread(): Promise<void> {
    let placed: string[] = [];
    await until(
      async () => {
        const { placements } = await this.client().plan({ config: CONFIG });
        placed = placements.map(({ group, host }) => `${group} on ${host}`).sort();
        return new Set(placements.map(({ host }) => host)).size === HOST_NAMES.length;
      },
      () => `not every host is used: ${placed.join(", ")}`,
    );
  }

  /** Waits until a new attempt of a replica was started in place. @returns when that was seen */
  async untilAttempt(replica: ReplicaView, attempt: number): Promise<number> {
    const host = this.hostOf(replica);
    const isStart = (line: string) =>
      line.includes('"starting a job"') && line.includes(`"${replica.id}.0"`) && line.includes(`"attempt":${attempt}`);
    await until(
      () => host !== null && this.agent(host).output().split("\n").some(isStart),
      () => `attempt ${attempt} of ${replica.id} is not started`,
    );
    return performance.now();
  }

  /** Waits until a router sends nothing new to these workers. @returns when that was seen */
  untilOut(router: string, urls: string[], withinMs = 60_000): Promise<number> {
    const isIn = ({ url, status }: ListedWorker) => urls.includes(url) && status === "ready";
    return this.untilRouter(router, (workers) => !workers.some(isIn), withinMs);
  }

  /** Waits until the router lists so many workers as ready. @returns when that was seen */
  async untilListed(count: number, router?: string): Promise<number> {
    const url = router ?? (await this.routerUrl());
    return this.untilRouter(url, (workers) => workers.filter(({ status }) => status === "ready").length === count);
  }

  /** Waits until a router's list is as it should be. @returns when that was seen */
  async untilRouter(router: string, holds: (workers: ListedWorker[]) => boolean, withinMs = 60_000): Promise<number> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const workers = await this.workersOf(router);
      if (workers !== null && holds(workers)) return performance.now();
      if (performance.now() > deadline) throw new Error(`the router's list: ${JSON.stringify(workers)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Asks again and again, one request after another, until one is answered. @returns when that was */
  async untilAnswered(url: string, withinMs = 60_000): Promise<number> {
    const deadline = performance.now() + withinMs;
    const body = { model: MODEL, max_tokens: 1 };
    for (;;) {
      const answer = await chat(url, this.token, body, undefined, AbortSignal.timeout(5_000)).catch(() => null);
      if (answer?.status === 200) return performance.now();
      if (performance.now() > deadline) throw new Error(`not served: ${answer?.status} ${answer?.body}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Kills every process of a replica's job with SIGKILL, as a crash would; its supervisor lives on. */
  killJob(replica: ReplicaView): void {
    const pids = this.#processesOf(replica);
    if (pids.length === 0) throw new Error(`replica ${replica.id} has no process`);
    for (const pid of pids) process.kill(pid, "SIGKILL");
  }

  /** The processes of every replica, by its id: what must be untouched is compared by them. */
  async pids(): Promise<Record<string, number[]>> {
    const { replicas } = await this.view();
    return Object.fromEntries(replicas.map((replica) => [replica.id, this.#processesOf(replica)]));
  }

  /** By the session of the job's main process: a router rewrites its environment, by which others are found. */
  #processesOf(replica: ReplicaView): number[] {
    const host = this.hostOf(replica);
    const main = host === null ? null : readJob(join(this.agentFolder(host), "jobs", `${replica.id}.0`))?.last?.main;
    if (!main) return [];
    return listProcesses()
      .filter(({ session }) => session === main.pid)
      .map(({ pid }) => pid)
      .sort((a, b) => a - b);
  }

  /** All commits after a version. */
  async commitsAfter(version: number): Promise<CommitView[]> {
    return (await this.client().journal({ after: version, limit: COMMITS_MAX })).commits;
  }

  /** What has happened after a version to replicas that served and do not any more, or not for a while. */
  async upsets(version: number): Promise<string[]> {
    const events = (await this.commitsAfter(version)).flatMap((commit) => commit.events);
    return events
      .filter(({ type }) => UPSETS.has(type))
      .map(({ type, replica, host, message }) => `${type} ${replica ?? host}: ${message}`);
  }

  async version(): Promise<number> {
    return (await this.commitsAfter(0)).at(-1)?.version ?? 0;
  }

  /** What was printed, for the message of a failed drill. */
  output(): string {
    const of = (name: string, running: Running | null | undefined) => `--- ${name}\n${running?.output() ?? ""}`;
    return [of("server", this.server), ...HOST_NAMES.map((host) => of(host, this.agents.get(host)))].join("\n");
  }

  #env(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.folder, XDG_CONFIG_HOME: join(this.folder, "config") };
  }
}
