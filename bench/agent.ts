import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readJob } from "../agents/host/runtime/process/records.ts";
import { ROOT } from "../scripts/bootstrap.js";
import { ensurePrograms } from "../scripts/system-packages.ts";
import { createClient } from "../src/api/client.ts";
import { startServer } from "../src/node.ts";
import { Dockerd, makeRootFolder } from "../test/support/dockerd.ts";
import { type Running, startProcess, until } from "../test/support/processes.ts";
import { updateTimes } from "./agents/update-time.ts";
import { cpuUs } from "./proxy/cpu.ts";
import { memoryOf } from "./support/memory.ts";
import { type BenchResult, spreadOf } from "./support/report.ts";

const ROUNDS = 3;
/** An agent has done all that it does for the first time, and given back what that took. */
const SETTLE_MS = 30_000;
/** And then it is watched for so long. */
const WATCH_MS = 30_000;
const JOBS = 10;
/** Of the containers: a small system that the bench makes. */
const IMAGE = "headrace/bench:1";
/** Runs of each short command. */
const COMMANDS = 9;

/** The two ways to run the command: what users get, and what they get where no bundle can be made. */
const WAYS = [
  { name: "bundle", command: [join(ROOT, "bin/headrace.js")] },
  { name: "sources", command: ["--disable-warning=ExperimentalWarning", join(ROOT, "src/cli/main.ts")] },
] as const;
type Way = (typeof WAYS)[number];

interface Place {
  folder: string;
  env: NodeJS.ProcessEnv;
  client: ReturnType<typeof createClient>;
}

/** What one agent of a way was seen to take. */
interface Seen {
  /** From the start of the command, and of the agent's own program in its place, to an open link. */
  commandMs: number;
  agentMs: number;
  residentMb: number;
  ownMb: number;
  /** Percent of one core. */
  cpu: number;
}

/** What an agent takes: idle, and with jobs; from the bundle and from the sources in turns, against one control plane. */
export default async function bench(): Promise<BenchResult> {
  ensurePrograms([{ program: "busybox", package: "busybox-static", purpose: "jobs that listen and do nothing else" }]);
  const folder = await mkdtemp(join(tmpdir(), "headrace-bench-agent-"));
  const flags = { dataDir: join(folder, "server"), host: "127.0.0.1", port: 0, keyFile: join(folder, "key") };
  const server = await startServer(flags, () => {});
  const token = server.firstStart?.adminToken ?? "";
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder };
  const place: Place = {
    folder,
    env: { ...env, HEADRACE_SERVER: server.url, HEADRACE_TOKEN: token },
    client: createClient({ server: server.url, token, project: "main" }),
  };
  try {
    const seen = await idleAgents(place);
    const withJobs = [];
    for (const way of WAYS)
      withJobs.push({ way: way.name, jobs: "processes", ...(await agentWithJobs(place, way, null)) });
    const [bundle] = WAYS;
    await using engine = await startEngine(folder);
    if (engine !== null) {
      const seenWith = await agentWithJobs(place, bundle, engine);
      withJobs.push({ way: bundle.name, jobs: "containers", ...seenWith });
    }
    const node = await nodeAlone();
    const of = (way: Way, key: keyof Seen) => spreadOf((seen.get(way) ?? []).map((each) => each[key]));
    return {
      about: `An agent after a minute with nothing to do and one with ${JOBS} jobs (\`httpd\` of busybox). Budget: 80 MB, 1 % of a core, 300 ms. Resident counts the program of Node, which all processes of Node share; Node alone, with nothing to run, has ${node.residentMb.toFixed(1)} MB, of it ${node.ownMb.toFixed(1)} its own.`,
      tables: [
        {
          title: `Idle, median of ${ROUNDS} (least - most)`,
          columns: [
            { key: "way", title: "from" },
            { key: "resident", title: "resident", unit: "MB" },
            { key: "own", title: "of it its own", unit: "MB" },
            { key: "cpu", title: "of a core", unit: "%" },
            { key: "agent", title: "program -> link", unit: "ms" },
            { key: "command", title: "`headrace agent` -> link", unit: "ms" },
          ],
          rows: WAYS.map((way) => ({
            way: way.name,
            resident: of(way, "residentMb"),
            own: of(way, "ownMb"),
            cpu: of(way, "cpu"),
            agent: of(way, "agentMs"),
            command: of(way, "commandMs"),
          })),
        },
        {
          title: `With ${JOBS} jobs; each process has a supervisor, containers have the engine's`,
          columns: [
            { key: "way", title: "from" },
            { key: "jobs", title: "jobs" },
            { key: "resident", title: "agent, resident", unit: "MB" },
            { key: "own", title: "agent, its own", unit: "MB" },
            { key: "supervisor", title: "a supervisor, resident", unit: "MB" },
            { key: "supervisorOwn", title: "a supervisor, its own", unit: "MB" },
            { key: "cpu", title: "agent, of a core", unit: "%" },
          ],
          rows: withJobs,
        },
        await commands(place),
        await updateTimes(),
      ],
    };
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function idleAgents(place: Place): Promise<Map<Way, Seen[]>> {
  const seen = new Map<Way, Seen[]>(WAYS.map((way) => [way, []]));
  // Unmeasured: it joins, and what is kept of compiled code is made.
  for (const way of WAYS) await stop(await startAgent(place, way));
  for (let round = 1; round <= ROUNDS; round += 1) {
    process.stderr.write(`idle agents, round ${round} of ${ROUNDS}\n`);
    const started = [];
    for (const way of WAYS) {
      const whole = await startAgent(place, way);
      const program = procList(whole.running.pid, "cmdline");
      const env = Object.fromEntries(procList(whole.running.pid, "environ").map((each) => splitAt(each, "=")));
      await stop(whole);
      const alone = await untilLinked(program, env);
      started.push({ way, commandMs: whole.ms, agentMs: alone.ms, running: alone.running });
    }
    await sleep(SETTLE_MS);
    const before = started.map(({ running }) => cpuUs(running.pid, false));
    await sleep(WATCH_MS);
    for (const [index, { way, running, commandMs, agentMs }] of started.entries()) {
      const cpu = ((cpuUs(running.pid, false) - (before[index] ?? 0)) / (WATCH_MS * 1_000)) * 100;
      seen.get(way)?.push({ ...memoryOf(running.pid), commandMs, agentMs, cpu });
      await stop({ running });
    }
  }
  return seen;
}

/** A Docker engine of the bench's own; null for who may not start one. */
async function startEngine(folder: string): Promise<Dockerd | null> {
  if (process.getuid?.() !== 0) return null;
  const engine = await Dockerd.start();
  const root = join(folder, "image");
  await mkdir(root);
  makeRootFolder(root, { shell: true });
  await engine.importImage(IMAGE, root);
  return engine;
}

/** @param engine null = its jobs are processes */
async function agentWithJobs(place: Place, way: Way, engine: Dockerd | null) {
  process.stderr.write(`an agent with ${JOBS} ${engine ? "containers" : "processes"}, from the ${way.name}\n`);
  const agent = await startAgent(place, way, engine ? ["--docker-socket", engine.socket] : []);
  const config = [
    "type: service",
    "name: sleepers",
    "port: 8000",
    ...(engine ? [`image: ${IMAGE}`] : []),
    // It listens on whichever port it is given, or it would never be ready, and all of them are on one host.
    "commands: [exec busybox httpd -f -p $HEADRACE_PORT]",
    `replicas: ${JOBS}`,
    "stop_duration: 1s",
    "resources: { cpu: 0.., memory: 1MB.., disk: 1MB.. }",
  ].join("\n");
  await place.client.apply({ config, file: "sleepers.yml", env: {} });
  const service = () => place.client.service("sleepers");
  await until(async () => (await service()).ready, agent.running.output);
  const { replicas } = await service();
  const supervisors = engine ? [] : replicas.map(({ id }) => supervisorOf(place, way, id));
  await sleep(SETTLE_MS);
  const before = cpuUs(agent.running.pid, false);
  await sleep(WATCH_MS);
  const cpu = ((cpuUs(agent.running.pid, false) - before) / (WATCH_MS * 1_000)) * 100;
  const own = memoryOf(agent.running.pid);
  const memories = supervisors.map(memoryOf);
  await place.client.stop("sleepers");
  await until(async () => (await service()).replicas.length === 0, agent.running.output);
  await place.client.delete("sleepers");
  await stop(agent);
  return {
    resident: rounded(own.residentMb),
    own: rounded(own.ownMb),
    supervisor: engine ? null : spreadOf(memories.map((each) => each.residentMb)),
    supervisorOwn: engine ? null : spreadOf(memories.map((each) => each.ownMb)),
    cpu: rounded(cpu),
  };
}

/** Short commands, in turns. */
async function commands(place: Place): Promise<BenchResult["tables"][number]> {
  process.stderr.write("short commands\n");
  const asked = [["--help"], ["ps"]];
  const tookMs = new Map<string, number[]>();
  for (let run = 0; run < COMMANDS; run += 1) {
    for (const args of asked) {
      for (const way of WAYS) {
        const began = performance.now();
        await startProcess([process.execPath, ...way.command, ...args], place.env).ended;
        const key = `${way.name} ${args[0]}`;
        tookMs.set(key, [...(tookMs.get(key) ?? []), performance.now() - began]);
      }
    }
  }
  return {
    title: `Commands, median of ${COMMANDS} (least - most)`,
    columns: [
      { key: "command", title: "command" },
      ...WAYS.map(({ name }) => ({ key: name, title: `from ${name}`, unit: "ms" })),
    ],
    rows: asked.map(([name]) => ({
      command: `headrace ${name}`,
      ...Object.fromEntries(WAYS.map((way) => [way.name, spreadOf(tookMs.get(`${way.name} ${name}`) ?? [])])),
    })),
  };
}

async function startAgent(place: Place, way: Way, more: string[] = []) {
  const { token } = await place.client.createToken({ kind: "join", name: way.name });
  const flags = ["--name", way.name, "--address", "127.0.0.1", "--job-user", "same", ...more];
  const command = [process.execPath, ...way.command, "agent", ...flags, "--data-dir", dataDir(place, way)];
  return untilLinked(command, { ...place.env, HEADRACE_JOIN_TOKEN: token });
}

async function untilLinked(command: string[], env: NodeJS.ProcessEnv): Promise<{ running: Running; ms: number }> {
  const began = performance.now();
  const running = startProcess(command, env);
  const linked = new Promise<"linked">((resolve) => {
    running.child.stderr?.on("data", () => {
      if (running.output().includes('"linked to the server"')) resolve("linked");
    });
  });
  if ((await Promise.race([linked, running.ended])) !== "linked") throw new Error(running.output());
  return { running, ms: performance.now() - began };
}

async function stop({ running }: { running: Running }): Promise<void> {
  await running.stop();
}

/** A process that runs nothing at all. */
async function nodeAlone() {
  const node = startProcess([process.execPath, "-e", "console.log('up'); setInterval(() => {}, 1e9)"], {});
  await until(() => node.output().includes("up"), node.output);
  const memory = memoryOf(node.pid);
  await node.stop();
  return memory;
}

function dataDir(place: Place, way: Way): string {
  return join(place.folder, way.name);
}

function supervisorOf(place: Place, way: Way, replica: string): number {
  const pid = readJob(join(dataDir(place, way), "jobs", `${replica}.0`))?.last?.run?.supervisor.pid;
  if (pid === undefined) throw new Error(`replica ${replica} does not run here`);
  return pid;
}

/** `cmdline` or `environ`. */
function procList(pid: number, file: string): string[] {
  return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").slice(0, -1);
}

function splitAt(text: string, mark: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function rounded(value: number): number {
  return spreadOf([value]).median;
}
