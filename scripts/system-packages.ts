import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findInterpreter, SetupError } from "./python-interpreter.ts";

/** A program that something here starts, and the Debian package that has it. */
export interface Program {
  program: string;
  package: string;
  purpose: string;
}

/** What the end-to-end tests start. */
const PROGRAMS: Program[] = [
  { program: "ip", package: "iproute2", purpose: "hosts in network namespaces of their own" },
  { program: "unshare", package: "util-linux", purpose: "hosts in network namespaces of their own" },
  { program: "nft", package: "nftables", purpose: "a host whose firewall lets nothing in" },
];

/** Tests of two lanes may miss something at once, and apt-get's own wait leaves out the lists that `update` writes. */
const APT_EXCLUSIVE = ["flock", "-o", "/var/lib/apt"];
/** Another apt-get may be at work on a machine that has just started. */
const APT_LOCK_SECONDS = 120;
const APT_MS = 10 * 60_000;

interface Missing {
  packages: string[];
  purpose: string;
}

/**
 * Makes sure of what the tests need from the system. As root on Debian and its kin missing packages are installed.
 *
 * @throws SetupError naming what is missing, what for, and the command that installs it
 */
export function ensureSystemPackages(): void {
  install(missingParts(searched()));
}

/** The same for a few programs. */
export function ensurePrograms(programs: Program[]): void {
  install(missingPrograms(programs, searched()));
}

/** Daemons and what sets up networks are looked for where Debian has them, which is not on everybody's PATH. */
function searched(): string {
  return [process.env.PATH, "/usr/sbin"].join(delimiter);
}

function install(missing: Missing[]): void {
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((part) => part.packages))];
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    process.stderr.write(`Installing ${packages.join(", ")} with apt-get ...\n`);
    apt(["update"]);
    apt(["install", "--yes", "--no-install-recommends", ...packages]);
    return;
  }
  const purposes = missing.map((part) => `  ${part.packages.join(", ")}: ${part.purpose}`).join("\n");
  throw new SetupError(
    `Packages are needed that are not installed:\n${purposes}\nOn Debian and Ubuntu: sudo apt-get install ${packages.join(" ")}. Then run the same command again.`,
  );
}

/** @param path folders to look in, as in the variable PATH */
export function missingParts(path: string): Missing[] {
  const missing = missingPrograms(PROGRAMS, path);
  try {
    findInterpreter(path);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    missing.push({ packages: ["python3", "python3-venv"], purpose: error.message });
  }
  return missing;
}

function missingPrograms(programs: Program[], path: string): Missing[] {
  return programs
    .filter(({ program }) => !isOnPath(program, path))
    .map((part) => ({ packages: [part.package], purpose: part.purpose }));
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function apt(args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = [`-oDPkg::Lock::Timeout=${APT_LOCK_SECONDS}`, "-qq", ...args];
  const [flock = "", ...lock] = APT_EXCLUSIVE;
  const done = spawnSync(flock, [...lock, "apt-get", ...options], { env, encoding: "utf8", timeout: APT_MS });
  if (done.status === 0) return;
  const said = (done.error?.message ?? done.stderr).trim().split("\n").slice(-8).join("\n");
  throw new SetupError(`apt-get ${args.join(" ")} failed:\n${said}`);
}
