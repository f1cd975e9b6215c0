import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.js";
import { ensurePython } from "../../scripts/python.ts";
import { ensurePrograms } from "../../scripts/system-packages.ts";
import { INTO_NAMESPACES } from "../support/in-namespaces.ts";
import type { Finding } from "./drill.ts";
import { DRILLS, type DrillName } from "./drills.ts";

/** The longest drill is without control plane for two minutes and watched for another; on a slow machine it all takes longer. */
const DRILL_MS_MAX = 400_000;
const PROGRAMS = [
  { program: "ip", package: "iproute2", purpose: "hosts in network namespaces of their own" },
  { program: "unshare", package: "util-linux", purpose: "hosts in network namespaces of their own" },
];
/** Of what a failed drill printed, for the message. */
const OUTPUT_CHARS_MAX = 60_000;

/**
 * Runs a drill in namespaces of its own: whatever it leaves running ends with them.
 * @throws Error with the logs of all processes when the drill could not be carried through
 */
export async function runDrill(name: DrillName): Promise<Finding> {
  ensurePrograms([...PROGRAMS, ...(DRILLS[name].programs ?? [])]);
  const { bin } = await ensurePython();
  const folder = mkdtempSync(join(tmpdir(), `headrace-drill-${name}-`));
  try {
    const [unshare = "", ...flags] = INTO_NAMESPACES;
    const main = join(ROOT, "test/drills/main.ts");
    const { code, stdout, stderr } = await run(unshare, [...flags, process.execPath, main, name, folder, bin]);
    if (code !== 0) throw new Error(`drill ${name} failed:\n${stderr.slice(-OUTPUT_CHARS_MAX)}`);
    if (process.env.DRILL_SHOW_LOGS) process.stderr.write(stderr);
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Finding;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: DRILL_MS_MAX,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
}
