import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import { uptime } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { readBootId } from "../../inventory/boot-id.ts";
import { cgroupOutOfMemoryKills, moveToCgroup, removeCgroup } from "./cgroup.ts";
import {
  attemptFolder,
  endFile,
  logsFolder,
  mainFile,
  outputFifo,
  runFile,
  stoppingFile,
  supervisorFile,
  writeRecord,
} from "./folder.ts";
import { LogWriter } from "./log-writer.ts";
import { anyMemberAlive, type JobProcesses, killMembers, terminateMembers } from "./members.ts";
import { identify, isAlive, type ProcessIdentity } from "./proc.ts";
import type { EndRecord, RunRecord } from "./records.ts";
import type { Command, SupervisorAnswer, SupervisorOrder } from "./spawn-supervisor.ts";

/**
 * The supervisor of one attempt of one job: a small process of its own that outlives the agent. It starts the job,
 * writes the job's output into bounded segments, and writes down how the job ended, which only a parent can learn. It
 * stands outside the job's cgroup, so that killing the job leaves somebody to tell of it. The agent starts it (see
 * spawn-supervisor.ts), and starts another to take over when this one is killed.
 *
 * It imports nothing but Node, to be small and to start fast.
 */

/** Between two looks at processes that are not our children. */
const WATCH_MS = 100;

/** The last output waits in the pipe when the job is dead. Someone else may hold the pipe open: not waited for. */
const LAST_OUTPUT_MS_MAX = 2_000;

type Ending = Pick<EndRecord, "exitCode" | "signal">;

/** What only a parent learns; a supervisor that took over is none. */
const UNKNOWN_ENDING: Ending = { exitCode: null, signal: null };

async function supervise(order: SupervisorOrder): Promise<void> {
  const attemptDir = attemptFolder(order.jobDir, order.attempt);
  const job: JobProcesses = { jobDir: order.jobDir, cgroup: order.cgroup, main: null };
  let child: ChildProcess | null = null;
  const log = new LogWriter(logsFolder(order.jobDir), order.attempt, order.logBytesMax);
  const output = openOutput(order.jobDir);
  if (order.kind === "run") {
    claim(attemptDir, order);
    try {
      child = await startInCgroup(order.command, output.writer, order.cgroup);
      job.main = child.pid === undefined ? null : identify(child.pid);
    } catch (error) {
      // Nothing ran, so the attempt did not happen.
      rmSync(attemptDir, { recursive: true, force: true });
      if (order.cgroup !== null) removeCgroup(order.cgroup);
      throw error;
    }
    if (job.main !== null) writeRecord(mainFile(attemptDir), job.main);
  } else {
    job.main = order.main;
    writeRecord(supervisorFile(attemptDir), ownIdentity());
  }
  closeSync(output.writer);
  const outputEnded = keepOutput(output.reader, log);
  const ending = child === null ? watchUntilDead(job) : awaitExit(child);
  forwardSignals(job, attemptDir);
  answer({ ok: true });
  // Node would keep its compiled code for the next supervisor only at our exit, and many of us are killed.
  flushCompileCache();

  const { exitCode, signal } = await ending;
  await endLeftovers(job, attemptDir);
  await Promise.race([outputEnded, sleep(LAST_OUTPUT_MS_MAX)]);
  const outOfMemory = job.cgroup !== null && cgroupOutOfMemoryKills(job.cgroup) > 0;
  if (job.cgroup !== null) removeCgroup(job.cgroup);
  // Last of all: the next attempt may start as soon as this is written.
  const endedUptimeMs = Math.round(uptime() * 1000);
  writeRecord(endFile(attemptDir), { exitCode, signal, outOfMemory, endedUptimeMs } satisfies EndRecord);
  process.exit(0);
}

/**
 * Makes the attempt ours: making a folder succeeds only once, so an attempt never starts twice. A claim that cannot be
 * written (a full disk) leaves no folder, which would pass for an attempt that ran.
 */
function claim(attemptDir: string, order: SupervisorOrder): void {
  mkdirSync(attemptDir, { mode: 0o700 });
  const run: RunRecord = {
    bootId: readBootId(),
    startedAtMs: Date.now(),
    startedUptimeMs: Math.round(uptime() * 1000),
    cgroup: order.cgroup,
    logBytesMax: order.logBytesMax,
    supervisor: ownIdentity(),
  };
  try {
    writeRecord(runFile(attemptDir), run);
  } catch (error) {
    rmSync(attemptDir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The job holds its end of the FIFO open for reading too. So there is a reader whatever happens to us: the job never
 * gets SIGPIPE, and what it wrote waits in the pipe for whoever takes over; lost is only what we had read and not written
 * when we were killed, an unfinished line as a rule. Our own end must not block and reports the
 * end of file once the last process of the job has closed its.
 */
function openOutput(jobDir: string): { reader: number; writer: number } {
  const fifo = outputFifo(jobDir);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(fifo, constants.O_RDWR) };
}

/**
 * Starts the job's shell in a session of its own. We are in the job's cgroup while we fork and leave it again, so that
 * the child is in it before it runs at all.
 */
async function startInCgroup(command: Command, output: number, cgroup: string | null): Promise<ChildProcess> {
  const home = cgroup === null ? null : ownCgroup(cgroup);
  if (cgroup !== null) {
    mkdirSync(cgroup, { recursive: true });
    moveToCgroup(cgroup, process.pid);
  }
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ["ignore", output, output],
      ...(command.user === null ? {} : command.user),
    });
  } finally {
    if (home !== null) moveToCgroup(home, process.pid);
  }
  if (child.pid === undefined) await new Promise((_, reject) => child.once("error", reject));
  return child;
}

/** The job's cgroup is made in the agent's, which is also ours. */
function ownCgroup(jobCgroup: string): string {
  return jobCgroup.split("/").slice(0, -2).join("/");
}

/** Settles when the last process of the job has closed its output. */
function keepOutput(reader: number, log: LogWriter): Promise<void> {
  const source = new Socket({ fd: reader, readable: true, writable: false });
  source.on("data", (chunk) => log.write(chunk));
  return new Promise((resolve) => {
    source.on("error", () => source.destroy());
    source.on("close", () => {
      log.end();
      resolve();
    });
  });
}

function awaitExit(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

/** Without a known main process the job lives as long as any of its processes does. */
async function watchUntilDead(job: JobProcesses): Promise<Ending> {
  const { main } = job;
  const lives = main === null ? () => anyMemberAlive(job) : () => isAlive(main);
  while (lives()) await sleep(WATCH_MS);
  return UNKNOWN_ENDING;
}

/**
 * A job is over when its main process is, as in a container: what is left (the workers of an engine that crashed, say)
 * would keep the accelerators from the next attempt, and is killed. But when the job was told to stop, what is left may
 * still be draining: then the agent decides when that is enough.
 */
async function endLeftovers(job: JobProcesses, attemptDir: string): Promise<void> {
  while (anyMemberAlive(job)) {
    if (!existsSync(stoppingFile(attemptDir))) killMembers(job);
    await sleep(WATCH_MS);
  }
}

/** We are no part of the job: whoever ends us by hand means the job. */
function forwardSignals(job: JobProcesses, attemptDir: string): void {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      closeSync(openSync(stoppingFile(attemptDir), "a", 0o600));
      terminateMembers(job);
    });
  }
}

function ownIdentity(): ProcessIdentity {
  const own = identify(process.pid);
  if (own === null) throw new Error("/proc does not show this process; is it mounted?");
  return own;
}

/** Tells the agent, if it still listens. */
function answer(message: SupervisorAnswer): void {
  try {
    writeSync(1, `${JSON.stringify(message)}\n`);
  } catch {
    // The agent is gone; its successor finds us on disk.
  }
}

/** An agent that died while it wrote leaves an order without its last line end: nothing is started then. */
function readOrder(): SupervisorOrder | null {
  const text = readFileSync(0, "utf8");
  return text.endsWith("\n") ? (JSON.parse(text) as SupervisorOrder) : null;
}

const order = readOrder();
if (order !== null) {
  supervise(order).catch((error: Error) => {
    console.error(error);
    answer({ ok: false, message: error.message });
    process.exit(1);
  });
}
