import { readdir, readlink } from "node:fs/promises";

/**
 * Every process of a container: it has a pid namespace of its own.
 * @param pid of its first process, as the engine sees it
 * @returns pids; null where the engine counts processes otherwise than we do, as where the agent is in a container itself
 */
export async function sharesPidNamespace(pid: number): Promise<number[] | null> {
  const wanted = await namespaceOf(String(pid));
  if (wanted === null || wanted === (await namespaceOf("self"))) return null;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const members = await Promise.all(pids.map(async (one) => (await namespaceOf(one)) === wanted));
  return pids.filter((_, index) => members[index]).map(Number);
}

/** null for a process that is gone, or not ours to look at. */
async function namespaceOf(pid: string): Promise<string | null> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => null);
}
