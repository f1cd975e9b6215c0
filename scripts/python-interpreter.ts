import { spawnSync } from "node:child_process";

/** The oldest Python that the pinned packages have wheels for. */
const OLDEST_MINOR = 10;

/** Asked in this order: what the user calls python3 first, then versions installed beside an old one. */
const CANDIDATES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/** A healthy interpreter answers in tens of milliseconds; one behind a version manager may take a second. */
const ANSWER_MS = 10_000;

/** `ensurepip` is what Debian leaves out of python3 and `python3 -m venv` cannot do without. */
const QUESTION = `
import importlib.util as u, sys
print(sys.version_info[0], sys.version_info[1], int(all(u.find_spec(m) for m in ("venv", "ensurepip"))))`;

interface Finding {
  command: string;
  major: number;
  minor: number;
  makesEnvironments: boolean;
}

/** An obstacle that the user can remove; its message says how. */
export class SetupError extends Error {}

/**
 * The command of a Python that can make the environment.
 *
 * @param path folders to look in, as in the variable PATH
 * @throws SetupError when there is none, with what to install
 */
export function findInterpreter(path: string): string {
  const findings: Finding[] = [];
  for (const command of CANDIDATES) {
    const finding = ask(command, path);
    if (!finding) continue;
    if (isNewEnough(finding) && finding.makesEnvironments) return command;
    findings.push(finding);
  }
  throw new SetupError(obstacle(findings));
}

function ask(command: string, path: string): Finding | null {
  const env = { ...process.env, PATH: path };
  const answer = spawnSync(command, ["-c", QUESTION], { env, encoding: "utf8", timeout: ANSWER_MS });
  const words = /^(\d+) (\d+) ([01])\s*$/.exec(answer.stdout ?? "");
  if (!words) return null;
  return { command, major: Number(words[1]), minor: Number(words[2]), makesEnvironments: words[3] === "1" };
}

function isNewEnough({ major, minor }: Finding): boolean {
  return major > 3 || (major === 3 && minor >= OLDEST_MINOR);
}

function obstacle(findings: Finding[]): string {
  const withoutVenv = findings.find(isNewEnough);
  if (withoutVenv) {
    const { command, major, minor } = withoutVenv;
    return `${command} (${major}.${minor}) cannot make virtual environments: its module ensurepip is missing. On Debian and Ubuntu: apt-get install python3-venv. Then run the same command again.`;
  }
  const needed = `The router comes from PyPI and needs Python 3.${OLDEST_MINOR} or later`;
  const remedy = "Install one (Debian 12 and later: apt-get install python3-venv) and run the same command again.";
  const old = findings[0];
  if (old) return `${needed}; ${old.command} here is ${old.major}.${old.minor}. ${remedy}`;
  return `${needed}; there is no python3 on PATH. ${remedy}`;
}
