import { setTimeout as sleep } from "node:timers/promises";
import { cgroupIsPopulated, cgroupPids, killCgroup } from "./cgroup.ts";
import { environmentHas, isAlive, listProcesses, type ProcessIdentity, readProcess, sendSignal } from "./proc.ts";

/**
 * Which processes belong to a job. With a cgroup the kernel knows. Without one they are those of the main process's
 * session, and those that carry the job's marker in their environment, which `setsid` and forking twice keep; only a
 * process that leaves the session and also clears its environment gets away then.
 */
export interface JobProcesses {
  jobDir: string;
  /** The job's group in the v2 hierarchy; null where there is none. */
  cgroup: string | null;
  /** The shell that runs the job's script, leader of its own session; null when it is not known. */
  main: ProcessIdentity | null;
}

/** Variable that every process of a job inherits; its value, the job's folder, is unique on the machine. */
export const JOB_MARKER = "HEADRACE_JOB_DIR";
/** The same for the supervisor of a job, which is not part of the job itself. */
export const SUPERVISOR_MARKER = "HEADRACE_SUPERVISED_JOB_DIR";

/** A round of killing takes what the last one forked meanwhile; a job that outlives these sits in the kernel. */
const KILL_ROUNDS_MAX = 250;
const KILL_ROUND_MS = 20;

export function anyMemberAlive(job: JobProcesses): boolean {
  if (job.cgroup !== null) return cgroupIsPopulated(job.cgroup);
  return (job.main !== null && isAlive(job.main)) || findMembers(job).length > 0;
}

/** The pids of every living process of the job. Without a cgroup this reads all of /proc. */
export function findMembers(job: JobProcesses): number[] {
  if (job.cgroup !== null) return cgroupPids(job.cgroup).filter((pid) => readProcess(pid) !== null);
  const session = sessionOf(job.main);
  return listProcesses()
    .filter((found) => found.session === session || environmentHas(found.pid, JOB_MARKER, job.jobDir))
    .map((found) => found.pid);
}

/** Processes that carry one of the markers of this job, wherever they are. */
export function findMarked(jobDir: string, markers: string[]): number[] {
  return listProcesses()
    .map((found) => found.pid)
    .filter((pid) => markers.some((marker) => environmentHas(pid, marker, jobDir)));
}

/**
 * Sends SIGTERM once to every process of the job. The main group gets it as a whole, so that a child that is being
 * forked gets it too; the others one by one.
 */
export function terminateMembers(job: JobProcesses): void {
  const group = sessionOf(job.main);
  const others = findMembers(job).filter((pid) => readProcess(pid)?.processGroup !== group);
  if (group !== null) sendSignal(-group, "SIGTERM");
  for (const pid of others) sendSignal(pid, "SIGTERM");
}

/** Kills what lives of the job now; what is forked meanwhile is only caught where the kernel kills cgroups. */
export function killMembers(job: JobProcesses): void {
  if (job.cgroup !== null && killCgroup(job.cgroup)) return;
  for (const pid of findMembers(job)) sendSignal(pid, "SIGKILL");
}

/**
 * Kills again and again until nothing is left: the job, processes of it that left its cgroup but carry its marker, and
 * its supervisors.
 * @returns the pids that would not die within 5 s
 */
export async function killUntilGone(job: JobProcesses): Promise<number[]> {
  for (let round = 0; round < KILL_ROUNDS_MAX; round++) {
    const marked = findMarked(job.jobDir, [SUPERVISOR_MARKER, JOB_MARKER]);
    for (const pid of marked) sendSignal(pid, "SIGKILL");
    const isEmpty = marked.length === 0 && !anyMemberAlive(job);
    if (isEmpty) return [];
    killMembers(job);
    await sleep(KILL_ROUND_MS);
  }
  return [...new Set([...findMembers(job), ...findMarked(job.jobDir, [SUPERVISOR_MARKER, JOB_MARKER])])];
}

/**
 * The session and group that the main process leads. The kernel does not hand out a pid while a session bears it, so
 * another process with that pid means that the session is empty and that the number is a stranger's now.
 */
function sessionOf(main: ProcessIdentity | null): number | null {
  if (main === null) return null;
  const current = readProcess(main.pid);
  return current === null || current.startTicks === main.startTicks ? main.pid : null;
}
