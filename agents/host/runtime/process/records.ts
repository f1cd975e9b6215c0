import { readdirSync, readFileSync } from "node:fs";
import * as z from "zod";
import { attemptFolder, attemptsFolder, endFile, jobFile, mainFile, runFile, supervisorFile } from "./folder.ts";

const processIdentity = z.object({ pid: z.int().min(1), startTicks: z.number() });

const jobRecord = z.object({ job: z.string(), replica: z.string() });

const runRecord = z.object({
  bootId: z.string(),
  /** Wall clock of the start, in ms; only for runs of an earlier boot. */
  startedAtMs: z.number(),
  /** Since boot, in ms; unlike the wall clock it is never set. */
  startedUptimeMs: z.number(),
  cgroup: z.string().nullable(),
  logBytesMax: z.number(),
  /** The supervisor that started it; a later one may have taken over. */
  supervisor: processIdentity,
});

const endRecord = z.object({
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  outOfMemory: z.boolean(),
  /** Since boot, in ms; supervisors of before did not write it. */
  endedUptimeMs: z.number().optional(),
});

export type RunRecord = z.infer<typeof runRecord>;
export type EndRecord = z.infer<typeof endRecord>;

/** What the disk says of a job's last attempt. */
export interface AttemptRecords {
  attempt: number;
  /** null when the supervisor died before it started anything. */
  run: RunRecord | null;
  /** Who took over from the supervisor in `run`, if any did. */
  supervisor: z.infer<typeof processIdentity> | null;
  main: z.infer<typeof processIdentity> | null;
  end: EndRecord | null;
}

export interface JobRecords {
  job: string;
  replica: string;
  /** null when nothing was started yet. */
  last: AttemptRecords | null;
}

/** @returns null when there is no such job. */
export function readJob(jobDir: string): JobRecords | null {
  const job = readRecord(jobFile(jobDir), jobRecord);
  if (job === null) return null;
  const attempt = readAttempts(jobDir).at(-1);
  return { ...job, last: attempt === undefined ? null : readAttempt(jobDir, attempt) };
}

/** Numbers of the attempts on disk, in order. */
export function readAttempts(jobDir: string): number[] {
  let names: string[];
  try {
    names = readdirSync(attemptsFolder(jobDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
}

function readAttempt(jobDir: string, attempt: number): AttemptRecords {
  const folder = attemptFolder(jobDir, attempt);
  return {
    attempt,
    run: readRecord(runFile(folder), runRecord),
    supervisor: readRecord(supervisorFile(folder), processIdentity),
    main: readRecord(mainFile(folder), processIdentity),
    end: readRecord(endFile(folder), endRecord),
  };
}

/**
 * Records are written whole or not at all, so only a power cut can damage one. Then nothing of the job lives any more,
 * and a damaged record says no more than a missing one.
 */
function readRecord<T>(path: string, schema: z.ZodType<T>): T | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
