import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The layout of a job's folder. Nothing about a job is kept anywhere else, so an agent that starts anew knows all from
 * here and from /proc.
 *
 * ```
 * <dataDir>/jobs/<job>/
 *   job.json             which replica it is; made together with the folder
 *   attempts/<n>/        made by the supervisor of attempt n before it starts anything: so no attempt starts twice
 *     run.json           its supervisor, and where its processes are to be looked for
 *     supervisor.json    who took over when its first supervisor was killed
 *     main.json          the shell that runs the script
 *     stopping           exists once it was told to stop
 *     end.json           how it ended; nothing of it lives any more
 *   output               the FIFO that is the job's stdout and stderr
 *   logs/<n>.log         see log-format.ts
 *   supervisor.log       what a supervisor says when it fails
 *   home/ tmp/ work/     the job's own: HOME, TMPDIR and where its commands start
 * ```
 */
export const jobsFolder = (dataDir: string): string => join(dataDir, "jobs");
export const jobFile = (jobDir: string): string => join(jobDir, "job.json");
export const attemptsFolder = (jobDir: string): string => join(jobDir, "attempts");
export const attemptFolder = (jobDir: string, attempt: number): string => join(jobDir, "attempts", String(attempt));
export const runFile = (attemptDir: string): string => join(attemptDir, "run.json");
export const supervisorFile = (attemptDir: string): string => join(attemptDir, "supervisor.json");
export const mainFile = (attemptDir: string): string => join(attemptDir, "main.json");
export const stoppingFile = (attemptDir: string): string => join(attemptDir, "stopping");
export const endFile = (attemptDir: string): string => join(attemptDir, "end.json");
export const outputFifo = (jobDir: string): string => join(jobDir, "output");
export const logsFolder = (jobDir: string): string => join(jobDir, "logs");
export const supervisorLog = (jobDir: string): string => join(jobDir, "supervisor.log");
export const homeFolder = (jobDir: string): string => join(jobDir, "home");
export const workFolder = (jobDir: string): string => join(jobDir, "work");

/**
 * Engines put Unix sockets into TMPDIR (ZeroMQ, NCCL), and the path of one has at most 107 bytes. This leaves them 27
 * for a name of their own.
 */
const TMPDIR_BYTES_MAX = 80;

/** The job's TMPDIR: in its folder, or under a short name where the folder's path is too long for sockets. */
export function tmpFolder(jobDir: string): string {
  const inside = join(jobDir, "tmp");
  if (Buffer.byteLength(inside) <= TMPDIR_BYTES_MAX) return inside;
  return join(tmpdir(), `headrace-${shortHash(jobDir)}`);
}

/** 12 hex digits that stand for a longer text. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Writes a record so that a reader sees all of it or nothing, whenever the writer dies. */
export function writeRecord(path: string, record: object): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(unfinished, path);
}
