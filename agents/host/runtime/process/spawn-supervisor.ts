import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Program } from "../../programs.ts";
import { supervisorLog } from "./folder.ts";
import { SUPERVISOR_MARKER } from "./members.ts";
import type { ProcessIdentity } from "./proc.ts";

/** What a supervisor starts. */
export interface Command {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Who it runs as where `args` do not see to that themselves; null = as the agent. */
  user: { uid: number; gid: number } | null;
}

interface OrderBase {
  jobDir: string;
  attempt: number;
  logBytesMax: number;
  cgroup: string | null;
}

/** `run` starts the attempt; `adopt` takes over one whose supervisor is gone. */
export type SupervisorOrder =
  | (OrderBase & { kind: "run"; command: Command })
  | (OrderBase & { kind: "adopt"; main: ProcessIdentity | null });

export type SupervisorAnswer = { ok: true } | { ok: false; message: string };

/** Starting takes 50 to 100 ms; a machine that takes this long is not well. */
const ANSWER_MS_MAX = 20_000;

/** An answer is one line: a sentence at most. */
const ANSWER_CHARS_MAX = 64 * 1024;

/** A supervisor holds one chunk of output and some records: it needs no large heap and no helper threads. */
const NODE_FLAGS = ["--no-warnings", "--max-old-space-size=32", "--max-semi-space-size=1", "--v8-pool-size=0"];

/**
 * Starts a supervisor and waits until it has done what it was ordered. The order travels through its standard input,
 * since it holds secrets, which a command line or a file would show.
 * @param onExit called when the supervisor ends, so when the job has
 * @throws Error with what the supervisor could not do
 */
export async function spawnSupervisor(program: Program, order: SupervisorOrder, onExit: () => void): Promise<void> {
  const errors = openSync(supervisorLog(order.jobDir), "w", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...NODE_FLAGS, program.file], {
      cwd: "/",
      detached: true,
      env: { [SUPERVISOR_MARKER]: order.jobDir, NODE_COMPILE_CACHE: program.compileCache, UV_THREADPOOL_SIZE: "1" },
      stdio: ["pipe", "pipe", errors],
    });
  } finally {
    closeSync(errors);
  }
  child.once("exit", onExit);
  child.unref();
  const answer = await awaitAnswer(child, order);
  child.stdin?.destroy();
  child.stdout?.destroy();
  if (!answer.ok) throw new Error(answer.message);
}

function awaitAnswer(child: ChildProcess, order: SupervisorOrder): Promise<SupervisorAnswer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      resolve({ ok: false, message: `the supervisor did not answer within ${ANSWER_MS_MAX / 1000} s` });
    }, ANSWER_MS_MAX);
    const settle = (answer: SupervisorAnswer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(0, ANSWER_CHARS_MAX);
      if (text.includes("\n")) settle(JSON.parse(text) as SupervisorAnswer);
    });
    child.stdout?.once("close", () =>
      settle({ ok: false, message: `the supervisor ended before it answered; see ${supervisorLog(order.jobDir)}` }),
    );
    child.once("error", (error) => settle({ ok: false, message: `cannot start a supervisor: ${error.message}` }));
    // A supervisor that died early breaks this pipe; that it did not answer says so already.
    child.stdin?.once("error", () => {});
    child.stdin?.end(`${JSON.stringify(order)}\n`);
  });
}
