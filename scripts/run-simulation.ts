import { spawn } from "node:child_process";
import type { Outcome } from "./named-tests.ts";

/** What is kept of what a simulation says; broken seeds are told as they come. */
const OUTPUT_MAX = 100_000;

/** Lives to simulate: `seeds` of them, beginning with seed `from`. */
export interface Lives {
  from: number;
  seeds: number;
  /** Processes that share the work; one when left out. */
  jobs?: number;
  /** Name of a rule: it ends with the first life that breaks it. */
  until?: string;
}

/**
 * Simulates in a checkout or a copy of one. A failure says which seeds broke which rules.
 *
 * @param limitMs after this the run is killed
 */
export function runSimulation(
  folder: string,
  { from, seeds, jobs = 1, until }: Lives,
  limitMs: number,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const choice = ["--from", `${from}`, "--seeds", `${seeds}`, "--jobs", `${jobs}`];
    if (until !== undefined) choice.push("--until", until);
    const args = [...process.execArgv, "scripts/simulate.ts", ...choice];
    // In a group of its own, so that its children go with it.
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let output = "";
    const keep = (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_MAX);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, limitMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal) resolve({ kind: "broken", message: `it took more than ${limitMs / 1_000} s` });
      else if (code === 0) resolve({ kind: "passed" });
      else resolve({ kind: output.includes("BROKEN") ? "failed" : "broken", message: output });
    });
  });
}
