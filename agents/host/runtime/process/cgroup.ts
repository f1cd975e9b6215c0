import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Control groups of version 2, used only to know and to end every process of a job: none can leave its group by
 * `setsid` or by forking twice. No controller is needed, so the v2 hierarchy that a v1 host mounts beside the others
 * serves as well.
 */

/** Jobs seldom make groups of their own (container tools do); deeper than this nothing sane nests. */
const DEPTH_MAX = 16;

/**
 * The directory of our own v2 group.
 * @param mountinfo `/proc/self/mountinfo`
 * @param selfCgroup `/proc/self/cgroup`
 * @returns null when there is no v2 hierarchy or our group lies outside what is mounted.
 */
export function findOwnCgroup(mountinfo: string, selfCgroup: string): string | null {
  const own = selfCgroup
    .split("\n")
    .find((line) => line.startsWith("0::"))
    ?.slice(3);
  if (own === undefined || own.startsWith("/..")) return null;
  for (const line of mountinfo.split("\n")) {
    const [mount, source] = line.split(" - ");
    if (mount === undefined || source === undefined || !source.startsWith("cgroup2 ")) continue;
    const [, , , root, point] = mount.split(" ");
    if (root === undefined || point === undefined) continue;
    if (root === "/") return join(point, own);
    if (own === root || own.startsWith(`${root}/`)) return join(point, own.slice(root.length));
  }
  return null;
}

export type CgroupHome = { directory: string } | { directory: null; reason: string };

/**
 * Finds where groups for jobs can be made: a folder of the given name inside our own group.
 * Moving a process needs write access to both groups, so both are tried.
 */
export function findCgroupHome(name: string): CgroupHome {
  let own: string | null = null;
  try {
    own = findOwnCgroup(readFileSync("/proc/self/mountinfo", "utf8"), readFileSync("/proc/self/cgroup", "utf8"));
    if (own === null) return { directory: null, reason: "no cgroup v2 hierarchy is mounted" };
    const directory = join(own, name);
    mkdirSync(directory, { recursive: true });
    accessSync(join(directory, "cgroup.procs"), constants.W_OK);
    accessSync(join(own, "cgroup.procs"), constants.W_OK);
    removeCgroup(directory);
    return { directory };
  } catch (error) {
    return { directory: null, reason: `${own ?? "/proc"} cannot be used: ${(error as Error).message}` };
  }
}

/** Moves a process (all of its threads) into a group. */
export function moveToCgroup(directory: string, pid: number): void {
  writeFileSync(join(directory, "cgroup.procs"), String(pid));
}

/** Whether any process of the group or of one inside it lives. Zombies do not count. */
export function cgroupIsPopulated(directory: string): boolean {
  try {
    return parseFlatKeys(readFileSync(join(directory, "cgroup.events"), "latin1")).get("populated") === 1;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** The pids in the group and in those inside it. */
export function cgroupPids(directory: string, depth = 0): number[] {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number);
    return [...own, ...childGroups(directory, depth).flatMap((child) => cgroupPids(child, depth + 1))];
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/**
 * Kills the whole group at once, children that are being forked included.
 * @returns false when the kernel cannot (before 5.14): kill the pids one by one, again and again.
 */
export function killCgroup(directory: string): boolean {
  try {
    accessSync(join(directory, "cgroup.kill"), constants.W_OK);
    writeFileSync(join(directory, "cgroup.kill"), "1");
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Removes an empty group and the empty ones inside it; one that is in use or gone already is left as it is. */
export function removeCgroup(directory: string, depth = 0): void {
  try {
    for (const child of childGroups(directory, depth)) removeCgroup(child, depth + 1);
    rmdirSync(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!isGone(error) && code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
  }
}

/** How often the kernel killed a process of the group for want of memory; 0 where the memory controller is off. */
export function cgroupOutOfMemoryKills(directory: string): number {
  try {
    return parseFlatKeys(readFileSync(join(directory, "memory.events"), "latin1")).get("oom_kill") ?? 0;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

/** Reads the `key value` lines of cgroup.events and memory.events. */
function parseFlatKeys(text: string): Map<string, number> {
  const pairs = text
    .split("\n")
    .map((line) => line.split(" "))
    .filter((pair) => pair.length === 2);
  return new Map(pairs.map(([key, value]) => [key ?? "", Number(value)]));
}

function childGroups(directory: string, depth: number): string[] {
  if (depth >= DEPTH_MAX) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name));
}

/** ENODEV is what a file of a group answers when the group was removed after the file was opened. */
function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENODEV";
}
