import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Looking up a user may ask a directory service; making one writes a few files. */
const COMMAND_MS_MAX = 15_000;

const DEFAULT_JOB_USER = "headrace-job";

/** Groups that own the accelerators' device files where these are not open to all. */
const DEVICE_GROUPS = ["video", "render"];

/** Whom jobs run as when not as the agent itself. */
export interface JobUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Finds out whom jobs run as, so that they cannot read the agent's credential.
 * @param option `same`: as the agent; a name: as that user; null: as `headrace-job`, a system user that is made when
 *   it is missing, where the agent is root, and as the agent where it is not.
 * @returns null for "as the agent"
 * @throws Error for people when the user does not exist, cannot be made, or cannot be changed to
 */
export async function resolveJobUser(option: string | null, defaultName = DEFAULT_JOB_USER): Promise<JobUser | null> {
  if (option === "same") return null;
  const isRoot = process.getuid?.() === 0;
  if (option === null) {
    if (!isRoot) return null;
    return (await findUser(defaultName)) ?? (await makeUser(defaultName));
  }
  const user = await findUser(option);
  if (user === null) {
    throw new Error(`there is no user "${option}" on this host; make it, or say \`same\` to run jobs as the agent`);
  }
  if (user.uid === process.getuid?.()) return null;
  if (!isRoot) {
    throw new Error(`jobs can only run as "${option}" when the agent runs as root; say \`same\` or run it as root`);
  }
  return user;
}

/**
 * A job's user must be able to walk down to the job's folder.
 * @throws Error for people that names the first folder which does not let it through
 */
export function assertReachable(folder: string, user: JobUser): void {
  const parents = [folder];
  while (dirname(parents[0] ?? "/") !== parents[0]) parents.unshift(dirname(parents[0] ?? "/"));
  const closed = parents.find((parent) => !mayEnter(parent, user));
  if (closed === undefined) return;
  throw new Error(
    `jobs run as "${user.name}", who may not enter ${closed}; keep the agent's data elsewhere, ` +
      `allow it with \`chmod o+x ${closed}\`, or run jobs as the agent itself with the job user \`same\``,
  );
}

/** The first class that applies decides, as in the kernel; access lists are not looked at. */
function mayEnter(folder: string, user: JobUser): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}

async function findUser(name: string): Promise<JobUser | null> {
  try {
    const [uid, gid] = await Promise.all([idOf("-u", name), idOf("-g", name)]);
    return { name, uid, gid };
  } catch (error) {
    // `id` ends with 1 for a user that does not exist; anything else is trouble of its own.
    if ((error as { code?: unknown }).code === 1) return null;
    throw new Error(`cannot look up the user "${name}": ${(error as Error).message}`);
  }
}

async function idOf(flag: "-u" | "-g", name: string): Promise<number> {
  const { stdout } = await run("id", [flag, "--", name], { timeout: COMMAND_MS_MAX });
  return Number.parseInt(stdout, 10);
}

/**
 * Of two agents on a host one makes the user: `useradd` looks whether there is one before it waits for its own lock, and
 * then writes over what the other has made in the meantime, with another number.
 */
const USERS_LOCK = "/run/headrace-job-user.lock";
const UNLESS_THERE = 'id -u -- "$0" >/dev/null 2>&1 || exec "$@"';

async function makeUser(name: string): Promise<JobUser> {
  const groups = existingGroups(DEVICE_GROUPS);
  const membership = groups.length === 0 ? [] : ["--groups", groups.join(",")];
  const options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"];
  try {
    const useradd = ["useradd", ...options, ...membership, "--shell", "/usr/sbin/nologin", name];
    await run("flock", [USERS_LOCK, "sh", "-c", UNLESS_THERE, name, ...useradd], {
      timeout: COMMAND_MS_MAX,
      // Where `su` made somebody root, PATH has no place of an administrator's tools.
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
  } catch (error) {
    throw new Error(
      `cannot make the system user "${name}" that jobs run as (${(error as Error).message.trim()}); ` +
        "make it yourself, name another, or say `same` to run jobs as the agent",
    );
  }
  const made = await findUser(name);
  if (made === null) throw new Error(`useradd reported success but there is no user "${name}"`);
  return made;
}

function existingGroups(names: string[]): string[] {
  const known = new Set(
    readFileSync("/etc/group", "utf8")
      .split("\n")
      .map((line) => line.split(":")[0]),
  );
  return names.filter((name) => known.has(name));
}
