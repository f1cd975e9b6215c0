// Makes the Python environment, under its lock. The stamp is written last: one that was cut off is made again.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  environmentFolder,
  environmentStands,
  REQUIREMENTS,
  SIMULATED_MODULES,
  stampFile,
  stampText,
} from "./python.ts";
import { findInterpreter, SetupError } from "./python-interpreter.ts";

/** One step: some 40 MB over a slow line, yet not for ever. */
const STEP_MS = 15 * 60_000;

/**
 * The smallest of the pinned packages goes first, with short limits: it says within seconds whether the index can be
 * reached, where pip by itself goes on for minutes. One retry, because without any pip does not say what was wrong.
 */
const FIRST_PACKAGE = "setproctitle";
const FIRST_PACKAGE_OPTIONS = ["--retries=1", "--timeout=6", "--no-deps"];
const FIRST_PACKAGE_MS = 12_000;

try {
  make(environmentFolder());
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function make(folder: string): void {
  if (environmentStands(folder)) return;
  const interpreter = findInterpreter(process.env.PATH ?? "");
  process.stderr.write("Setting up Python with the real router (smg from PyPI, about 45 MB) ...\n");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Jobs run `pip install smg`, which is satisfied here; it should not ask the network whether pip itself is old.
  writeFileSync(join(folder, "pip.conf"), "[global]\ndisable-pip-version-check = true\n");
  run(interpreter, ["-m", "venv", folder], STEP_MS);
  const pip = join(folder, "bin", "pip");
  const install = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--only-binary=:all:"];
  const first = [...FIRST_PACKAGE_OPTIONS, `--constraint=${REQUIREMENTS}`, FIRST_PACKAGE];
  run(pip, [...install, ...first], FIRST_PACKAGE_MS);
  run(pip, [...install, `--requirement=${REQUIREMENTS}`], STEP_MS);
  writeFileSync(join(sitePackages(folder), "headrace-engine-sim.pth"), `${SIMULATED_MODULES}\n`);
  writeFileSync(`${stampFile(folder)}.tmp`, stampText(folder));
  renameSync(`${stampFile(folder)}.tmp`, stampFile(folder));
}

function run(program: string, args: string[], limitMs: number): void {
  const done = spawnSync(program, args, { encoding: "utf8", timeout: limitMs, killSignal: "SIGKILL" });
  if (done.status === 0) return;
  const said = `${done.stdout ?? ""}${done.stderr ?? ""}`.trim();
  const tooLate = done.signal === "SIGKILL";
  if (/Retrying \(/.test(said) || (tooLate && limitMs === FIRST_PACKAGE_MS))
    throw new SetupError(
      `The Python package index cannot be reached: ${cause(said) ?? `no answer within ${limitMs / 1000} s`}\nSet-up needs the network once. Check it, or pip's own settings (pip config list), and run the same command again.`,
    );
  const last = tooLate ? `it was stopped after ${limitMs / 60_000} min` : said.split("\n").slice(-15).join("\n");
  throw new SetupError(`${program} ${args.slice(0, 2).join(" ")} failed:\n${last || done.error?.message}`);
}

/** The reason inside pip's warning: `... connection broken by 'NewConnectionError(...: <reason>')': /simple/...`. */
function cause(said: string): string | undefined {
  return /broken by '\w+\(.*?[:,] ?([^:]*?)['")]*: \/\S*$/m.exec(said)?.[1];
}

function sitePackages(folder: string): string {
  const versions = readdirSync(join(folder, "lib")).filter((name) => name.startsWith("python3"));
  return join(folder, "lib", versions[0] ?? "", "site-packages");
}
