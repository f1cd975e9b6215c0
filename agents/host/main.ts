import { mkdir } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Replaceable, type RunningAgent, startAgent } from "./agent.ts";
import { defaultDataDir } from "./data-dir.ts";
import { findAddress, saidAddress } from "./inventory/address.ts";
import { readBootId } from "./inventory/boot-id.ts";
import type { Declaration } from "./inventory/declare.ts";
import { DiskWatch } from "./inventory/disks.ts";
import { collectInventory, readDeclaration } from "./inventory/inventory.ts";
import { type LookOptions, lookAt } from "./inventory/look.ts";
import { readMachineId } from "./inventory/machine.ts";
import { busyPorts } from "./inventory/ports.ts";
import { JoinRefused } from "./join.ts";
import { joinOnly } from "./join-only.ts";
import { leave } from "./leave.ts";
import { askAgent } from "./local/ask-agent.ts";
import { LOG_LEVELS, type Log, type LogLevel, logToStderr, reasonOf } from "./log.ts";
import { ModelCache } from "./model-cache.ts";
import { openRuntimes, usableRuntimes, watchRuntimes } from "./runtime/open-runtimes.ts";
import { Installation } from "./update/installation.ts";

/** What whoever starts an agent may say; what is left out (or null) is found. */
export interface AgentOptions extends LookOptions {
  /** `http://host:port` or `https://host`. */
  server: string;
  /** Needed once: the agent keeps a credential of its own from then on. */
  joinToken?: string | null;
  /** What the host is called; its hostname. */
  name?: string | null;
  /** At which other hosts reach this one; that of the default route's interface. */
  address?: string | null;
  /** `/var/lib/headrace` for root, else `~/.local/share/headrace/agent`. One for each agent. */
  dataDir?: string | null;
  /** What the host has, over what is found. */
  declared?: Declaration;
  /** Whom jobs run as: `same` as the agent, or a user; see `resolveJobUser`. */
  jobUser?: string | null;
  /** Where the Docker engine listens: the path of a Unix socket; `/var/run/docker.sock` where there is one. */
  dockerSocket?: string | null;
  /** How it gives way to another build of itself; left alone unless given. */
  replaceable?: Replaceable | null;
  /** Where jobs keep the models that they download; `none`: nowhere. In the data folder unless it is said. */
  modelCache?: string | null;
  /** End the jobs with the agent: for demos. Otherwise they run on, and the next agent adopts them. */
  stopJobsOnExit?: boolean;
  log?: Log;
}

/**
 * Runs an agent on this machine until it is closed.
 * @throws Error for people when an option is wrong, the host cannot join, or another agent works in the data folder
 */
export async function runAgent(options: AgentOptions): Promise<RunningAgent> {
  const server = serverAddress(options.server);
  const dataDir = resolve(options.dataDir ?? defaultDataDir());
  // Others may pass through it to their jobs' folders; what is private in it is private by itself.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const address = options.address ?? findAddress();
  const log = options.log ?? logToStderr("info");
  const { hardware, proc } = lookAt(options, join(dataDir, "hardware.json"), log);
  const cache =
    options.modelCache === "none" ? null : new ModelCache(resolve(options.modelCache ?? join(dataDir, "models")));
  const disks = new DiskWatch();
  const runtimes = await openRuntimes({
    cache,
    dataDir,
    jobUser: options.jobUser ?? null,
    dockerSocket: options.dockerSocket ?? null,
    host: {
      inventory: async () => {
        const { accelerators, nics, fabric } = await hardware.current();
        return { accelerators: options.declared?.accelerators ?? accelerators, nics, fabric };
      },
      roots: { dev: resolve(options.roots?.dev ?? "/dev"), proc: resolve(options.roots?.proc ?? "/proc") },
    },
  });
  try {
    const agent = await startAgent({
      server,
      joinToken: options.joinToken ?? null,
      name: options.name ?? null,
      dataDir,
      stopJobsOnExit: options.stopJobsOnExit ?? false,
      facts: {
        machine: readMachineId(dataDir),
        bootId: readBootId(),
        address,
        inventory: async () =>
          collectInventory({
            dataDir,
            address,
            declared: options.declared ?? {},
            hardware,
            proc,
            runtimes: usableRuntimes(runtimes),
            warnings: [...runtimes.flatMap((runtime) => runtime.warnings), ...(cache?.warnings ?? [])],
            disks: await disks.look({
              data: dataDir,
              models: cache?.path ?? null,
              images: runtimes.find(({ storage }) => storage !== null)?.storage ?? null,
            }),
            modelCache: cache?.described() ?? null,
          }),
        watch: (changed) => {
          hardware.start(changed);
          watchRuntimes(runtimes, changed);
        },
        busyPorts,
      },
      runtimes,
      replaceable: options.replaceable ?? null,
      log,
    });
    return {
      host: agent.host,
      close: async () => {
        hardware.close();
        await agent.close();
      },
    };
  } catch (error) {
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    throw error;
  }
}

function serverAddress(text: string): string {
  const url = URL.parse(text);
  const plain = url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.pathname === "/";
  if (!plain || url.search !== "" || url.username !== "") {
    throw new Error(`"${text}" is not the address of a server; write it like https://headrace.example.com`);
  }
  return url.origin;
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === text);
  if (level === undefined) throw new Error(`"${text}" is not a log level; write ${LOG_LEVELS.join(", ")}`);
  return level;
}

/** `EX_TEMPFAIL`: the host may have joined or not, and the same command again goes on from there. */
const JOIN_UNCLEAR = 75;

const USAGE = `Usage: main.ts --server URL [--name NAME] [--address ADDRESS] [--network NETWORK] [--data-dir DIR] [--declare WHAT]
               [--sysfs-root DIR] [--proc-root DIR] [--dev-root DIR] [--nvidia-smi PROGRAM]
               [--job-user USER] [--docker-socket PATH] [--model-cache DIR|none] [--stop-jobs-on-exit]
               [--end-with-input]
               [--log-level debug|info|warn|error]
       main.ts --join-only [--fleet FLEET] --server URL ...   joins and ends; ${JOIN_UNCLEAR}: try the same again
       main.ts --status [--json] [--data-dir DIR]   what the agent that runs there says of itself
       main.ts --leave [--data-dir DIR] [--docker-socket PATH]   ends the jobs of a host whose agent has ended, and tells the server
The join token is read from HEADRACE_JOIN_TOKEN; it is needed the first time only.`;

/**
 * The agent as a process of its own. SIGTERM and SIGINT end it; so does, with `--end-with-input`, the end of its
 * standard input, by which whoever started it and was killed takes it along.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      server: { type: "string" },
      name: { type: "string" },
      address: { type: "string" },
      network: { type: "string" },
      "data-dir": { type: "string" },
      declare: { type: "string" },
      "sysfs-root": { type: "string" },
      "proc-root": { type: "string" },
      "dev-root": { type: "string" },
      "nvidia-smi": { type: "string" },
      "job-user": { type: "string" },
      "docker-socket": { type: "string" },
      "model-cache": { type: "string" },
      "stop-jobs-on-exit": { type: "boolean" },
      "end-with-input": { type: "boolean" },
      "join-only": { type: "boolean" },
      fleet: { type: "string" },
      leave: { type: "boolean" },
      status: { type: "boolean" },
      json: { type: "boolean" },
      "log-level": { type: "string", default: "info" },
    },
  });
  const dockerSocket = values["docker-socket"] ?? null;
  if (values.leave) {
    const told = await leave({ dataDir: values["data-dir"] ?? null, dockerSocket });
    if (told !== "") process.stdout.write(`${told}\n`);
    return;
  }
  if (values.status) {
    const dataDir = resolve(values["data-dir"] ?? defaultDataDir());
    process.stdout.write(await askAgent(dataDir, values.json ? "/debug/state" : "/status"));
    return;
  }
  if (values.server === undefined) throw new Error(`--server is missing.\n${USAGE}`);
  const joinToken = process.env.HEADRACE_JOIN_TOKEN ?? null;
  // Nothing that is started from here shall find it.
  delete process.env.HEADRACE_JOIN_TOKEN;
  const installation = await Installation.take(process.env);
  const declared = values.declare === undefined ? {} : await readDeclaration(values.declare);
  const named = {
    name: values.name ?? null,
    address: saidAddress(values.address ?? null, values.network ?? null),
    dataDir: values["data-dir"] ?? null,
  };
  const look: LookOptions = {
    roots: { sys: values["sysfs-root"] ?? null, proc: values["proc-root"] ?? null, dev: values["dev-root"] ?? null },
    nvidiaSmi: values["nvidia-smi"] ?? null,
  };
  if (values["join-only"]) {
    const server = serverAddress(values.server);
    const { host, fleet } = await joinOnly({
      ...named,
      ...look,
      server,
      joinToken,
      declared,
      fleet: values.fleet ?? null,
    });
    process.stdout.write(`${host} ${fleet}\n`);
    return;
  }
  const { promise: replaced, resolve: replace } = Promise.withResolvers<void>();
  const stopped = new Promise<void>((stop) => {
    void replaced.then(stop);
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop());
    if (values["end-with-input"]) process.stdin.resume().once("close", () => stop());
  });
  const agent = await runAgent({
    server: values.server,
    joinToken,
    ...named,
    declared,
    ...look,
    jobUser: values["job-user"] ?? null,
    dockerSocket,
    modelCache: values["model-cache"] ?? null,
    stopJobsOnExit: values["stop-jobs-on-exit"] ?? false,
    // One that takes its jobs with it cannot be replaced without touching them.
    replaceable: installation && !values["stop-jobs-on-exit"] ? { installation, replaced: replace } : null,
    log: logToStderr(logLevel(values["log-level"])),
  });
  // Kept now, since an agent may be killed: where Node was given a folder for it, the next start takes half the time.
  flushCompileCache();
  await stopped;
  await agent.close();
}

if (import.meta.main) {
  main().then(
    () => process.exit(0),
    (error) => {
      process.stderr.write(`headrace agent: ${reasonOf(error)}\n`);
      process.exit(process.argv.includes("--join-only") && !(error instanceof JoinRefused) ? JOIN_UNCLEAR : 1);
    },
  );
}
