import * as z from "zod";
import { sha256Name } from "./files.ts";
import { inventory } from "./inventory.ts";
import { commitVersion, id, JOBS_MAX, opaqueName, port, role, spanMs } from "./names.ts";
import { peerList, peersReport } from "./peers.ts";

/** How the last run of a job ended. */
export const jobEnd = z.object({
  exitCode: z.int().nullable(),
  signal: z.string().max(20).nullable(),
  outOfMemory: z.boolean(),
  /** The last lines of its log, cut to 2 KiB. */
  tail: z.string().max(2048),
  /** It could not even be started, and `tail` says why, for people. Older agents leave it out. */
  neverStarted: z.literal(true).optional(),
});

/**
 * - `starting`: about to run or running, never ready in this attempt
 * - `ready`: its probes pass and the engine has confirmed its role
 * - `unready`: was ready in this attempt, its probes fail
 * - `backoff`: ended by itself, waits to be started again
 * - `quiescing`, `stopping`: in that phase of a drain
 * - `ended`: stopped on purpose, nothing of it is left running
 */
export const jobState = z.enum(["starting", "ready", "unready", "backoff", "quiescing", "stopping", "ended"]);

export const jobReport = z.object({
  job: id,
  replica: id,
  state: jobState,
  /** Counts starts in place, from 1. */
  attempt: z.int().min(0),
  /** Ends by itself within the last 5 minutes. */
  recentEnds: z.int().min(0),
  lastEnd: jobEnd.nullable(),
  /** What the engine says of itself; null until it was asked. */
  confirmed: z.object({ role, bootstrapPort: port.nullable() }).nullable(),
  /** One line for people: what it is doing or why it is not ready. */
  message: z.string().max(500),
});

/** What a router's agent knows of the router's list. */
export const routerReport = z.object({
  job: id,
  replica: id,
  /** Changes when the router process is another one (it forgets its workers when it restarts). */
  incarnation: opaqueName,
  /** Replicas that new requests can reach through it now. */
  listed: z.array(id).max(10_000),
  /** The commit whose worker list it was last brought in line with by this incarnation. */
  synced: commitVersion,
});

/** A report names every job of a host, at most a thousand, each with the last 2 KiB of its log at worst. */
export const REPORT_BYTES_MAX = 4 * 1024 * 1024;

/** Why a build did not come up, cut by the agent. */
export const UPDATE_FAILURE_CHARS_MAX = 500;

/** A build of the agent, by the SHA-256 of its archive; and the commit that told a host to run it. */
const agentOrder = z.object({ build: sha256Name, order: commitVersion });

/** What an agent runs that was installed by the script, and can put another build in its place. */
const installedAgent = z.object({
  build: sha256Name,
  /** The last order that came to nothing: the host runs what it ran before. null = none since it last did as told. */
  failed: agentOrder.extend({ reason: z.string().max(UPDATE_FAILURE_CHARS_MAX) }).nullable(),
});

/** The build that a host shall run. */
const agentUpdate = agentOrder.extend({
  /** Address of the folder that has `<build>.tar.gz`; null = where the host was installed from. */
  from: z.string().max(2_000).nullable(),
});

/** All that an agent knows; never a difference. Any report can be lost or repeated. */
export const report = z.object({
  agent: z.object({
    version: opaqueName,
    /** The machine's boot. Two machines on one credential differ in `machine`. */
    bootId: opaqueName,
    machine: opaqueName,
    /** Changes when the agent process is another one. */
    incarnation: opaqueName,
    /** Left out where it was started by hand or from its sources, and by older ones: such an agent is left alone. */
    installed: installedAgent.optional(),
  }),
  /** Rises within an incarnation; older ones are dropped. */
  seq: z.int().min(0),
  /** Version and content of the desired state it holds and acts on; 0 and "" = none. */
  applied: z.object({ version: commitVersion, hash: opaqueName }),
  inventory,
  /** Ports on which something other than its jobs listens. */
  busyPorts: z.array(z.int()).max(2_000),
  jobs: z.array(jobReport).max(JOBS_MAX),
  routers: z.array(routerReport).max(100),
  /** null: from an older agent, which tries none. */
  peers: peersReport.nullable().default(null),
});

/** The answer to a report, over the link or to `POST /agent/sync`. */
export const syncAnswer = z.object({
  /** The project's commit version; the agent holds its desired state at this version from now on. */
  version: commitVersion,
  /** Hash of the desired state; equal to what the agent holds when `desired` is null. */
  hash: z.string(),
  desired: z.unknown().nullable(),
  /** Only while the host is to run another build of the agent than it does. */
  agent: agentUpdate.optional(),
  nextSyncInMs: spanMs,
  /** null: as before; an older control plane names none. */
  peers: peerList.nullable().default(null),
});

export type JobEnd = z.infer<typeof jobEnd>;
export type JobState = z.infer<typeof jobState>;
export type JobReport = z.infer<typeof jobReport>;
export type RouterReport = z.infer<typeof routerReport>;
export type InstalledAgent = z.infer<typeof installedAgent>;
export type AgentUpdate = z.infer<typeof agentUpdate>;
export type Report = z.infer<typeof report>;
export type SyncAnswer = z.infer<typeof syncAnswer>;
