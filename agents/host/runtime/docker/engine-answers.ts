import * as z from "zod";

/** What is read of the engine's answers. Fields that are not used are not named, so that a newer engine may differ. */

export const versionAnswer = z.object({
  Version: z.string(),
  ApiVersion: z.string().regex(/^\d+\.\d+$/),
  MinAPIVersion: z
    .string()
    .regex(/^\d+\.\d+$/)
    .optional(),
});

export const infoAnswer = z.object({
  DockerRootDir: z.string(),
  /** How it is shut off: `name=rootless` and `name=userns` give containers users of their own. */
  SecurityOptions: z.array(z.string()).nullish(),
  /** What it starts containers with, by name; NVIDIA's toolkit adds one. */
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
});

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

export const containerList = z.array(z.object({ Id: z.string(), Labels: labels, State: z.string() }));

export const createdAnswer = z.object({ Id: z.string() });

export const containerAnswer = z.object({
  Id: z.string(),
  /** The image's id. */
  Image: z.string(),
  State: z.object({
    Status: z.enum(["created", "running", "paused", "restarting", "removing", "exited", "dead"]),
    OOMKilled: z.boolean(),
    ExitCode: z.int(),
    /** Of its first process, as the engine sees it; 0 while none runs. */
    Pid: z.int(),
    /** Why it could not be started; empty else. */
    Error: z.string(),
    /** RFC 3339 with nanoseconds; in the year 1 when it was never started. */
    StartedAt: z.string(),
  }),
  Config: z.object({
    Labels: labels,
    Env: z.array(z.string()).nullish(),
    WorkingDir: z.string().nullish(),
    User: z.string().nullish(),
  }),
});

export const imageAnswer = z.object({
  Id: z.string(),
  /** In bytes, with the layers that it shares with others. */
  Size: z.number().min(0),
  /** What containers made of it begin with. */
  Config: z.object({ Env: z.array(z.string()).nullish(), User: z.string().nullish() }).nullish(),
});

/** A line of the answer to a pull. */
export const pullLine = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
  error: z.string().optional(),
});

export const engineEvent = z.object({ Actor: z.object({ Attributes: labels }).optional() });

export type ContainerAnswer = z.infer<typeof containerAnswer>;
export type EngineInfo = z.infer<typeof infoAnswer>;
export type PullLine = z.infer<typeof pullLine>;
