import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Runtime, RuntimeJob, StartSpec } from "../../agents/host/runtime/types.ts";
import { type LogLine, logLine } from "../../src/wire/index.ts";

export const LOG_BYTES_MAX = 4 * 1024 * 1024;

export function spec(job: string, script: string, env: Record<string, string> = {}, attempt = 1): StartSpec {
  const launch = {
    runtime: "process" as const,
    image: null,
    shell: "bash",
    script,
    env,
    workingDir: null,
    files: [],
    container: null,
  };
  return {
    job,
    replica: `replica-${job}`,
    attempt,
    launch,
    accelerators: [],
    env,
    files: [],
    logBytesMax: LOG_BYTES_MAX,
  };
}

export async function find(runtime: Runtime, job: string): Promise<RuntimeJob> {
  const found = (await runtime.list()).find((one) => one.job === job);
  if (found === undefined) throw new Error(`the runtime does not list job ${job}`);
  return found;
}

export async function untilEnded(runtime: Runtime, job: string, withinMs = 15_000): Promise<RuntimeJob> {
  let found = await find(runtime, job);
  const isEnded = async () => {
    found = await find(runtime, job);
    return found.state === "ended";
  };
  await until(`job ${job} has ended`, isEnded, withinMs);
  return found;
}

export async function texts(runtime: Runtime, job: string, tailLines = 1000): Promise<string[]> {
  let text = "";
  const stream = runtime.logs(job, { tailLines, follow: false }, new AbortController().signal);
  for await (const part of stream) text += part;
  return parseLines(text)
    .map((line) => line.text)
    .filter((line) => line !== "exit");
}

/** Hands out the lines of a followed log one by one; null at its end. */
export function followed(runtime: Runtime, job: string, options: { tailLines: number }, signal?: AbortSignal) {
  const stream = runtime.logs(job, { ...options, follow: true }, signal ?? new AbortController().signal);
  const parts = stream[Symbol.asyncIterator]();
  const waiting: LogLine[] = [];
  const next = async (): Promise<LogLine | null> => {
    for (;;) {
      const line = waiting.shift();
      if (line !== undefined && line.text !== "exit") return line;
      if (line !== undefined) continue;
      const part = await parts.next();
      if (part.done) return null;
      waiting.push(...parseLines(String(part.value)));
    }
  };
  return { next };
}

function parseLines(text: string): LogLine[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => logLine.parse(JSON.parse(line)));
}

/** Looks again until something holds; the time is a limit, never a wait. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Living processes whose command line or environment names the folder: supervisors, jobs and what escaped them. */
export function processesNaming(folder: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    if (Number(pid) === process.pid) continue;
    try {
      const about = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
      if (about.includes(folder)) found.push(`${pid} ${about.split("\0").slice(0, 3).join(" ")}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Bytes of a folder's own files, of those whose names count. */
export function bytesUnder(folder: string, counts: (name: string) => boolean = () => true): number {
  const sizes = readdirSync(folder)
    .filter(counts)
    .map((name) => readFileSync(join(folder, name)).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Kills an agent that starts a job: once it has, or after so many milliseconds. Its first line says that it begins, its
 * second that the job was started; on a busy machine both may come at once.
 */
export async function killedOnItsWay(agent: ChildProcess, afterMs: number | null): Promise<void> {
  const exited = once(agent, "exit");
  let timer: NodeJS.Timeout | null = null;
  let said = "";
  agent.stdout?.on("data", (part: Buffer) => {
    said += part;
    if (afterMs === null && said.includes("started\n")) agent.kill("SIGKILL");
    if (afterMs !== null) timer ??= setTimeout(() => agent.kill("SIGKILL"), afterMs);
  });
  await exited;
  if (timer !== null) clearTimeout(timer);
}
