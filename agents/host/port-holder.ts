import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Who listens on a port of this host. `unknown`: somebody does, and whether it is the job cannot be seen, e.g. since its
 * processes are another user's.
 */
export type PortHolder = { kind: "nobody" | "job" | "unknown" } | { kind: "stranger"; name: string };

/**
 * Whether listening sockets are held by the processes of a job, by the kernel's own tables. A connection tells nothing of
 * who accepts it: a stranger's server that had the port first would answer for a job that never got it.
 * @param sockets inodes
 * @param members pids of the job's processes; null = they cannot be known
 */
export async function socketHolder(sockets: readonly string[], members: number[] | null): Promise<PortHolder> {
  if (sockets.length === 0) return { kind: "nobody" };
  if (members === null) return { kind: "unknown" };
  const links = new Set(sockets.map((inode) => `socket:[${inode}]`));
  const held = await Promise.all(members.map((pid) => holdsAny(pid, links)));
  if (held.includes(true)) return { kind: "job" };
  if (held.includes(null)) return { kind: "unknown" };
  return { kind: "stranger", name: await nameHolder(links) };
}

/** What to say of a port that somebody else has. */
export function takenText(port: number, holder: string): string {
  return `port ${port} of this host is held by ${holder}, which is not of this job: end it, or give the service another port`;
}

/** @returns null where it cannot be seen; false also for a process that has ended meanwhile */
async function holdsAny(pid: number, links: ReadonlySet<string>): Promise<boolean | null> {
  const folder = `/proc/${pid}/fd`;
  try {
    for (const name of await readdir(folder)) {
      const target = await readlink(join(folder, name)).catch(() => "");
      if (links.has(target)) return true;
    }
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ESRCH" ? false : null;
  }
}

/** Reads the open files of every process: only where somebody else has been found to have a port. */
async function nameHolder(links: ReadonlySet<string>): Promise<string> {
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !(await holdsAny(pid, links))) continue;
    const program = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    return `process ${pid}${program === "" ? "" : ` (${program.trim()})`}`;
  }
  return "a process that the agent cannot see";
}
