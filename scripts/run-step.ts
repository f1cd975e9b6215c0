import { spawn } from "node:child_process";
import { ROOT } from "./bootstrap.js";

/** Beyond this only the end of a step's output is kept: failures are told last. */
const OUTPUT_MAX = 200_000;

/**
 * Runs one step of a check and prints one line about it with the time it took; what it said follows when it failed.
 *
 * @param work answers whether all is well, and what to print if not
 */
export async function runStep(name: string, work: () => Promise<StepResult>): Promise<boolean> {
  const start = performance.now();
  const { ok, output } = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${name.padEnd(18)} ${seconds.padStart(5)} s\n`);
  if (!ok && output.trim() !== "") process.stdout.write(`\n${output.trim()}\n\n`);
  return ok;
}

export interface StepResult {
  ok: boolean;
  output: string;
}

/** Runs a tool of node_modules/.bin from the root of the checkout, without colours. */
export function runTool(tool: string, args: string[], given: NodeJS.ProcessEnv = process.env): Promise<StepResult> {
  return new Promise((resolve, reject) => {
    const env = { ...given, NO_COLOR: "1", FORCE_COLOR: undefined };
    const child = spawn(`node_modules/.bin/${tool}`, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_MAX);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}
