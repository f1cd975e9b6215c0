import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.js";

/** How much of a program's output is kept for the message of a failed test. */
const OUTPUT_CHARS_MAX = 200_000;

/** The command as users run it. */
export const CLI = join(ROOT, "bin/headrace.js");

/** What has not ended does so with this process, as where a test or a bench hangs and is given up. */
const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});

/** A program that runs until it is stopped. */
export interface Running {
  child: ChildProcess;
  pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program of Node, or another one, in a group of its own. */
export function startProcess(command: string[], env: NodeJS.ProcessEnv): Running {
  const [program, ...args] = command;
  const child = spawn(program as string, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      keep(Buffer.from(`${error.message}\n`));
      resolve(null);
    });
    child.on("exit", resolve);
  });
  started.add(child);
  void ended.then(() => started.delete(child));
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

/** Runs a program to its end. */
export async function runProcess(
  command: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string; stdout: string }> {
  const running = startProcess(command, env);
  let stdout = "";
  running.child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const code = await running.ended;
  return { code, output: running.output(), stdout };
}

/** Waits until `condition` holds. @throws Error with `describe()` when it does not within `withinMs` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  describe: () => string,
  withinMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1_000} s: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
