import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { listProcesses } from "../../agents/host/runtime/process/proc.ts";
import { readJob } from "../../agents/host/runtime/process/records.ts";
import { ensurePython } from "../../scripts/python.ts";
import { createClient } from "../../src/api/client.ts";
import type { ServiceView } from "../../src/control/views/views.ts";
import { CONTROL_PLANES, type ControlPlane, type Runtime } from "./control-planes.ts";
import { CLI, type Running, runProcess, startProcess, until } from "./processes.ts";

/** A control plane and an agent as two processes of this machine, each of which can be killed and started again. */
export class LocalCluster {
  readonly folder: string;
  private agentServer: string;
  private readonly bin: string;
  private readonly plane: ControlPlane;
  private readonly declare: string | null;
  private readonly programs: string | null;
  server: Running | null = null;
  agent: Running | null = null;
  token = "";

  private constructor(
    folder: string,
    bin: string,
    plane: ControlPlane,
    { declare, programs }: { declare: string | null; programs: string | null },
  ) {
    this.folder = folder;
    this.bin = bin;
    this.plane = plane;
    this.declare = declare;
    this.programs = programs;
    this.agentServer = plane.url;
  }

  /**
   * With the control plane up and the host joined.
   * @param options.runtime what the control plane runs on
   * @param options.serverEnv the server's own variables, at every start
   * @param options.agentServer where the agent reaches the server, if it is not at its own address
   * @param options.declare what the host says it has, as `headrace agent --declare` takes it
   * @param options.programs a folder with programs that jobs find before all others, and run as processes, whatever
   *   images they name and engines this machine has
   */
  static async start({
    runtime = "node",
    serverEnv = {},
    agentServer = async (url) => url,
    declare = null,
    programs = null,
  }: {
    runtime?: Runtime;
    serverEnv?: NodeJS.ProcessEnv;
    agentServer?: (url: string) => Promise<string>;
    declare?: string | null;
    programs?: string | null;
  } = {}): Promise<LocalCluster> {
    const { bin: python } = await ensurePython();
    const bin = programs === null ? python : programs + delimiter + python;
    const folder = await mkdtemp(join(tmpdir(), "headrace-e2e-"));
    const plane = await CONTROL_PLANES[runtime]({ folder, env: { ...environment(folder, bin), ...serverEnv } });
    const cluster = new LocalCluster(folder, bin, plane, { declare, programs });
    await cluster.startServer();
    cluster.token = await plane.token();
    cluster.agentServer = await agentServer(cluster.url);
    const joinToken = (await cluster.headrace(["token", "create", "--host"])).stdout.trim();
    await cluster.startAgent({ HEADRACE_JOIN_TOKEN: joinToken });
    return cluster;
  }

  get url(): string {
    return this.plane.url;
  }

  async startServer(): Promise<void> {
    this.server = await this.plane.start();
  }

  /** Starts the agent and waits until the control plane has its link. */
  async startAgent(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const flags = ["--server", this.agentServer, "--name", "local", "--address", "127.0.0.1", "--job-user", "same"];
    if (this.declare !== null) flags.push("--declare", this.declare);
    if (this.programs !== null) flags.push("--docker-socket", join(this.folder, "no-docker.sock"));
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
  async applyExample(file: string, change: (text: string) => string, env: NodeJS.ProcessEnv = {}) {
    const changed = join(this.folder, "changed.yml");
    await writeFile(changed, change(await readFile(file, "utf8")));
    return this.headrace(["apply", "-f", changed, "-y", "--timeout", "2m"], env);
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
      await this.plane.dispose();
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  private lastAttempt(replica: string) {
    return readJob(join(this.agentFolder, "jobs", `${replica}.0`))?.last;
  }

  private env(): NodeJS.ProcessEnv {
    return {
      ...environment(this.folder, this.bin),
      HEADRACE_SERVER: this.url,
      HEADRACE_TOKEN: this.token,
    };
  }
}

function environment(folder: string, bin: string): NodeJS.ProcessEnv {
  return { PATH: bin + delimiter + process.env.PATH, HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
}

/** Empty for a process that is gone or is not ours to read. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
