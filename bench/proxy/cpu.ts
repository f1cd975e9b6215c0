import { readdirSync, readFileSync } from "node:fs";

/** The unit of /proc/PID/stat: a hundredth of a second on every Linux that Node runs on. */
const TICK_US = 10_000;

/**
 * What a process has used of the processors so far, in microseconds; 0 for one that is gone.
 * @param withChildren and all below it: servers that fork
 */
export function cpuUs(pid: number, withChildren: boolean): number {
  const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
  return pids.reduce((sum, each) => sum + ownUs(each), 0);
}

function ownUs(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US;
}

function childrenOf(parent: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(statOf(Number(name))[1]) === parent)
    .map(Number);
  return [...children, ...children.flatMap(childrenOf)];
}

/** The fields of /proc/PID/stat after the name in brackets, which may itself hold anything: state, parent, ... */
function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
