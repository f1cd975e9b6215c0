import * as z from "zod";
import { containerLaunch } from "./container.ts";
import { deliveredFile, FILES_PER_SERVICE_MAX } from "./files.ts";
import { commitVersion, id, JOBS_MAX, port, role, spanMs } from "./names.ts";

/** Twice what the language allows; a timer takes 24 days at most, and beyond it none at all. */
const PROBE_TIMEOUT_MS_MAX = 600_000;

export const httpProbe = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
  body: z.string().nullable(),
  timeoutMs: spanMs.min(1).max(PROBE_TIMEOUT_MS_MAX),
  intervalMs: spanMs.min(1),
  readyAfter: z.int().min(1),
  untilReady: z.boolean(),
});

/**
 * What the agent shall do with a job now.
 * - `run`: keep it running; restart it in place with back-off when it ends.
 * - `quiesce`: stop it once the engine is idle twice, a second apart, or after `withinMs` from when this phase was
 *   first seen.
 * - `stop`: signal it at once; what is left after `withinMs` is killed.
 * A job that left the desired state is stopped like `stop`, and its files are removed.
 */
export const jobPhase = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("run") }),
  z.object({ kind: z.literal("quiesce"), withinMs: spanMs }),
  z.object({ kind: z.literal("stop"), withinMs: spanMs }),
]);

/** A worker that a router shall list. */
export const desiredWorker = z.object({
  replica: id,
  /** `http://address:port`, without a trailing slash. */
  url: z.string(),
  role: role.exclude(["router"]),
  bootstrapPort: z.int().nullable(),
  labels: z.record(z.string(), z.string()),
});

export const desiredJob = z.object({
  job: id,
  replica: id,
  service: z.string(),
  group: z.string(),
  role,
  /** The commit that put this job here. */
  created: commitVersion,
  phase: jobPhase,
  launch: z.object({
    runtime: z.enum(["process", "docker"]),
    image: z.string().nullable(),
    /** Absolute path or a name on PATH. */
    shell: z.string(),
    /** The joined commands, one argument of `<shell> -i -c`. */
    script: z.string(),
    /** Complete but for what only the host knows; secrets are in plain text here. */
    env: z.record(z.string(), z.string()),
    workingDir: z.string().nullable(),
    /** What the service's user sent along; an older control plane sends nothing. */
    files: z.array(deliveredFile).max(FILES_PER_SERVICE_MAX).default([]),
    /** Set exactly when `runtime` is `docker`; an older control plane, which only has processes, sends nothing. */
    container: containerLaunch.nullable().default(null),
  }),
  /** The port it serves HTTP on. */
  port,
  /** Every port promised to it on this host, `port` included. */
  ports: z.array(z.int()),
  /** Indices of the host's accelerators promised to it. */
  accelerators: z.array(z.int()),
  /** Name of the engine adapter (`sglang`), null when the commands run none that is known. */
  engine: z.string().nullable(),
  /** Name of the router adapter; only for role `router`. */
  router: z.enum(["smg", "dynamo"]).nullable(),
  probes: z.array(httpProbe),
  /** Requests reach it through a router; otherwise only through its host's link. */
  behindRouter: z.boolean(),
  /** What the router shall list; empty for other roles. */
  workers: z.array(desiredWorker),
});

export const desiredState = z.object({
  project: z.string(),
  host: id,
  /** The commit this was rendered at. An agent refuses one lower than it holds. */
  version: commitVersion,
  jobs: z.array(desiredJob).max(JOBS_MAX),
});

export type HttpProbe = z.infer<typeof httpProbe>;
export type JobPhase = z.infer<typeof jobPhase>;
export type DesiredWorker = z.infer<typeof desiredWorker>;
export type DesiredJob = z.infer<typeof desiredJob>;
export type DesiredState = z.infer<typeof desiredState>;
