import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { listProcesses } from "../../agents/host/runtime/process/proc.ts";
import { readJob } from "../../agents/host/runtime/process/records.ts";
import { ensurePython } from "../../scripts/python.ts";
import { createClient } from "../../src/api/client.ts";
import type { ServiceView } from "../../src/control/views.ts";
import { CLI, type Running, runProcess, startProcess, until } from "./processes.ts";

/** A control plane and an agent as two processes of this machine, each of which can be killed and started again. */
export class LocalCluster {
  readonly folder: string;
  readonly url: string;
  private agentServer: string;
  private readonly port: number;
  private readonly bin: string;
  private readonly serverEnv: NodeJS.ProcessEnv;
  server: Running | null = null;
  agent: Running | null = null;
  token = "";

  private constructor(folder: string, port: number, bin: string, serverEnv: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.agentServer = this.url;
    this.bin = bin;
    this.serverEnv = serverEnv;
  }

  /**
   * With the control plane up and the host joined.
   * @param options.serverEnv the server's own variables, at every start
   * @param options.agentServer where the agent reaches the server, if it is not at its own address
   */
  static async start({
    serverEnv = {},
    agentServer = async (url) => url,
  }: {
    serverEnv?: NodeJS.ProcessEnv;
    agentServer?: (url: string) => Promise<string>;
  } = {}): Promise<LocalCluster> {
    const { bin } = await ensurePython();
    const folder = await mkdtemp(join(tmpdir(), "headrace-e2e-"));
    const cluster = new LocalCluster(folder, await freePort(), bin, serverEnv);
    await cluster.startServer();
    cluster.agentServer = await agentServer(cluster.url);
    cluster.token = (await cluster.headrace(["token", "show"])).stdout.trim();
    const joinToken = (await cluster.headrace(["token", "create", "--host"])).stdout.trim();
    await cluster.startAgent({ HEADRACE_JOIN_TOKEN: joinToken });
    return cluster;
  }

  async startServer(): Promise<void> {
    const data = join(this.folder, "server");
    this.server = startProcess([process.execPath, CLI, "server", "--port", String(this.port), "--data-dir", data], {
      ...this.env(),
      ...this.serverEnv,
    });
    const { server } = this;
    await until(() => server.output().includes("serves at"), server.output);
  }

  /** Starts the agent and waits until the control plane has its link. */
  async startAgent(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const flags = ["--server", this.agentServer, "--name", "local", "--address", "127.0.0.1", "--job-user", "same"];
    this.agent = startProcess([process.execPath, CLI, "agent", ...flags, "--data-dir", this.agentFolder], {
      ...this.env(),
      ...env,
    });
    const { agent } = this;
    await until(async () => (await this.client().hosts()).some((host) => host.online), agent.output);
  }

  get agentFolder(): string {
    return join(this.folder, "agent");
  }

  /** Runs a command of the CLI to its end. */
  headrace(args: string[], env: NodeJS.ProcessEnv = {}) {
    return runProcess([process.execPath, CLI, ...args], { ...this.env(), ...env });
  }

  client() {
    return createClient({ server: this.url, token: this.token, project: "main" });
  }

  serviceUrl(service: string): string {
    return `${this.url}/proxy/services/main/${service}`;
  }

  view(service: string): Promise<ServiceView> {
    return this.client().service(service);
  }

  async untilReady(service: string, withinMs = 90_000): Promise<ServiceView> {
    let view: ServiceView | null = null;
    await until(
      async () => {
        view = await this.view(service);
        return view.ready;
      },
      () => `${JSON.stringify(view, null, 1)}\n${this.server?.output()}\n${this.agent?.output()}`,
      withinMs,
    );
    return view as unknown as ServiceView;
  }

  /**
   * Kills every process of a replica's job with SIGKILL, as a crash would; its supervisor lives on. They are found by the
   * session of the job's main process, since a router writes over the environment that names its replica.
   * @returns how many
   */
  killJob(replica: string): number {
    const main = this.lastAttempt(replica)?.main;
    const pids = listProcesses().filter(({ session }) => session === main?.pid);
    for (const { pid } of pids) process.kill(pid, "SIGKILL");
    return pids.length;
  }

  /** The process that supervises a replica's job. */
  supervisorOf(replica: string): number | undefined {
    return this.lastAttempt(replica)?.run?.supervisor.pid;
  }

  /** Applies a changed copy of a file and waits until it is ready. */
  async applyExample(file: string, change: (text: string) => string) {
    const changed = join(this.folder, "changed.yml");
    await writeFile(changed, change(await readFile(file, "utf8")));
    return this.headrace(["apply", "-f", changed, "-y", "--timeout", "2m"]);
  }

  /** Lines of processes that belong to jobs of this cluster, and what their folders hold. */
  leftOver(): string[] {
    const mark = this.agentFolder;
    const processes = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== this.agent?.pid)
      .flatMap((pid) => {
        const about = readProc(pid, "cmdline") + readProc(pid, "environ");
        return about.includes(mark) ? [`${pid} ${readProc(pid, "cmdline").replaceAll("\0", " ")}`] : [];
      });
    const jobs = join(mark, "jobs");
    return [...processes, ...(existsSync(jobs) ? readdirSync(jobs).map((job) => `${jobs}/${job}`) : [])];
  }

  /** Ends everything and removes every file. Services are stopped first, so that no job outlives the test. */
  async dispose(): Promise<void> {
    try {
      if (this.server && this.agent) {
        for (const service of await this.client().services()) await this.headrace(["stop", service.name, "-y"]);
        await until(
          () => this.leftOver().length === 0,
          () => this.leftOver().join("\n"),
        );
      }
    } finally {
      await this.agent?.stop();
      await this.server?.stop();
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  private lastAttempt(replica: string) {
    return readJob(join(this.agentFolder, "jobs", `${replica}.0`))?.last;
  }

  private env(): NodeJS.ProcessEnv {
    return {
      PATH: this.bin + delimiter + process.env.PATH,
      HOME: this.folder,
      XDG_CONFIG_HOME: join(this.folder, "config"),
    };
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || !address) throw new Error("no port is free");
  return address.port;
}

/** Empty for a process that is gone or is not ours to read. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
