import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RequestRecord } from "../record.ts";

/** A process under test, with all that it said. */
export interface Running {
  process: ChildProcess;
  output(): string;
  /** How it ended: its exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

/** A simulated engine under test. */
export interface RunningEngine extends Running {
  url: string;
  /** `host:port` */
  address: string;
  records(): RequestRecord[];
}

const MODULE_PATH = join(import.meta.dirname, "..", "python");

/** Starts a program with this very Node first on its PATH, and the simulated `sglang` on Python's module path. */
export function startProcess(file: string, args: string[]): Running {
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    PYTHONPATH: MODULE_PATH,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  return { process: child, output: () => said, ended };
}

/** Starts an engine as SGLang is started, on 127.0.0.1. */
export function startEngine(python: string, port: number, flags: string[], record: string): RunningEngine {
  const line = ["-m", "sglang.launch_server", "--model-path", "sim-model", "--port", String(port)];
  return {
    ...startProcess(python, [...line, "--sim-record", record, ...flags]),
    url: `http://127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    records: () =>
      (existsSync(record) ? readFileSync(record, "utf8").trim().split("\n").filter(Boolean) : []).map((line) =>
        JSON.parse(line),
      ),
  };
}

const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** Waits for what nobody announces. @throws Error when it does not come in 30 s, with what the processes said */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  processes: Running[] = [],
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`waited in vain until ${what}\n${processes.map((one) => one.output()).join("\n")}`);
    }
    await delay(POLL_MS);
  }
}

/** @returns the status of a GET; 0 while nobody answers */
export async function statusOf(url: string): Promise<number> {
  return fetch(url).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.status;
    },
    () => 0,
  );
}
