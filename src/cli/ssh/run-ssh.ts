import { spawn } from "node:child_process";

export interface SshOutcome {
  /** null: it was ended from here, or could not be started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `ssh` with something on its standard input. Tests hand others. Never throws. */
export type RunSsh = (
  args: string[],
  input: string,
  limits: { withinMs: number; signal: AbortSignal },
) => Promise<SshOutcome>;

/** The end of what a host says is kept; a script of ours says some hundred characters. */
const OUTPUT_CHARS_MAX = 64 * 1024;

export const runSsh: RunSsh = (args, input, { withinMs, signal }) =>
  new Promise((resolve) => {
    const outcome = { stdout: "", stderr: "" };
    const child = spawn("ssh", args, { stdio: "pipe", timeout: withinMs, signal });
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        outcome[name] = (outcome[name] + text).slice(-OUTPUT_CHARS_MAX);
      });
    }
    // It may end before it has read all; how it ended says why.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") outcome.stderr = "there is no ssh on this machine: install OpenSSH's client";
      resolve({ code: null, ...outcome });
    });
    child.once("close", (code) => resolve({ code, ...outcome }));
  });
