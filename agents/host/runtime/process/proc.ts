import { readdirSync, readFileSync } from "node:fs";

/**
 * What Linux says of processes. A pid alone names nothing for long: the kernel hands it out again. A pid together with
 * the process's start time names one process of one boot.
 */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks between boot and start. */
  startTicks: number;
}

export interface ProcessStat extends ProcessIdentity {
  /** One letter; `Z` and `X` are dead and only wait to be reaped. */
  state: string;
  processGroup: number;
  session: number;
}

/** Reads `/proc/PID/stat`. The command name may hold spaces and parentheses, so fields count from the last `)`. */
export function parseStat(text: string): ProcessStat | null {
  const nameEnd = text.lastIndexOf(")");
  const pid = Number.parseInt(text, 10);
  if (nameEnd < 0 || !Number.isInteger(pid)) return null;
  // The first field after the name is field 3 of proc(5).
  const fields = text
    .slice(nameEnd + 1)
    .trim()
    .split(" ");
  const state = fields[0] ?? "";
  const [processGroup, session, startTicks] = [Number(fields[2]), Number(fields[3]), Number(fields[19])];
  if (state === "" || ![processGroup, session, startTicks].every(Number.isInteger)) return null;
  return { pid, state, processGroup, session, startTicks };
}

/** The process with this pid, or null when there is none; a zombie counts as none. */
export function readProcess(pid: number): ProcessStat | null {
  const stat = readStat(pid);
  return stat !== null && stat.state !== "Z" && stat.state !== "X" ? stat : null;
}

/** Names the process that bears this pid now, also when it is a zombie whose children live on. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : { pid, startTicks: stat.startTicks };
}

/** Whether this very process lives, not merely one that got its pid later. Both must be of this boot. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** Every process that lives now. */
export function listProcesses(): ProcessStat[] {
  const found: ProcessStat[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readProcess(pid);
    if (stat !== null) found.push(stat);
  }
  return found;
}

/**
 * Whether a process was started with this variable set to this value. False when its environment cannot be read, which
 * is so for other users' processes unless we are root.
 */
export function environmentHas(pid: number, name: string, value: string): boolean {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return false;
  }
  return text.split("\0").includes(`${name}=${value}`);
}

function readStat(pid: number): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return null;
  }
}

/** Sends a signal to one process, or to a whole group when `pid` is negative; one that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
