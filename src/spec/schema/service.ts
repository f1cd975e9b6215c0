import * as z from "zod";
import { readDuration, readOffableDuration } from "../grammar/duration.ts";
import { readResourceName } from "../grammar/names.ts";
import { readPort, readServicePort } from "../grammar/port.ts";
import { readAbsolutePath, readShell, readUnixUser } from "../grammar/process.ts";
import { readVolume, readVolumePath } from "../grammar/volume.ts";
import { bad, good, type Result } from "../result.ts";
import type { InstanceVolumeSpec } from "../types.ts";
import { env } from "./env.ts";
import { flag, mapping, optional, required, scalarOf, switchOf, textOf } from "./fields.ts";
import { commands, group, imageFields, scaling } from "./group.ts";
import { model } from "./model.ts";
import { probes } from "./probe.ts";
import { count } from "./ranges.ts";
import { resources } from "./resources.ts";

/** Five minutes, in seconds. */
const DEFAULT_STOP_S = 300;

const port = z.union([
  scalarOf(readServicePort),
  mapping("port", {
    local_port: optional(scalarOf(readPort), null, { description: "Means nothing to a service", examples: [8000] }),
    container_port: required(scalarOf(readPort), {
      description: "The port that the replicas listen on",
      examples: [8000],
    }),
  }).transform(({ container_port }) => container_port),
]);

const volume = z.union([
  textOf(readVolume),
  mapping("volume", {
    instance_path: required(textOf(readVolumePath), {
      description: "Folder or file of the host",
      examples: ["/mnt/models"],
    }),
    path: required(textOf(readVolumePath), { description: "Where the replica finds it", examples: ["/models"] }),
    optional: optional(flag, false, { description: "Whether a host without it will do", examples: [true] }),
  }).transform(
    ({ instance_path, ...rest }): InstanceVolumeSpec => ({ kind: "instance", instancePath: instance_path, ...rest }),
  ),
]);

/**
 * A service as it is written: the one place of every field's type, default and description. Rules across fields are in
 * `rules/`, what follows from them all is worked out in `fill.ts`.
 */
export const service = mapping("service", {
  type: required(z.literal("service"), { description: "What the file describes", examples: ["service"] }),
  name: required(textOf(readResourceName), {
    description: "The service is addressed by its name, and the same name applied again changes it",
    examples: ["my-service"],
  }),
  port: required(port, { description: "The port that the replicas listen on", examples: [8000] }),
  env: optional(
    env,
    {},
    { description: "Variables of every replica", examples: [["HF_TOKEN", "MODEL_ID=Qwen/Qwen3-8B"]] },
  ),
  commands,
  ...imageFields,
  entrypoint: optional(textOf(readEntrypoint), null, {
    description: "Replaces the image's entrypoint",
    examples: ["/bin/server"],
  }),
  shell: optional(textOf(readShell), null, {
    description: "What runs the commands: sh, bash or a path",
    examples: ["bash"],
  }),
  user: optional(textOf(readUnixUser), null, {
    description: "User, with a group if need be, that the replicas run as",
    examples: ["1000:1000"],
  }),
  working_dir: optional(textOf(readAbsolutePath), null, {
    description: "Where the commands start",
    examples: ["/app"],
  }),
  resources: optional(resources, null, {
    description: "What one replica needs of its host; for groups that say nothing of their own",
    examples: [{ gpu: "H100:8" }],
  }),
  volumes: optional(z.array(volume), [], {
    description: "Folders and files of the host",
    examples: [["/mnt/models:/models"]],
  }),
  model: optional(model, null, {
    description: "The model offered under the models endpoint",
    examples: ["Qwen/Qwen2.5-72B-Instruct"],
  }),
  auth: optional(flag, true, { description: "Whether callers need a token", examples: [false] }),
  probes: optional(probes, null, {
    description: "What makes a replica ready; left out, the engine's own probe",
    examples: [[{ type: "http", url: "/health" }]],
  }),
  replicas: optional(z.union([count, z.array(group)]), null, {
    description: "How many replicas; or, in the older spelling, the groups",
    examples: [2, "1..4"],
  }),
  groups: optional(z.array(group), null, {
    description: "Groups of replicas with different tasks",
    examples: [[{ replicas: 1 }]],
  }),
  scaling: optional(scaling, null, {
    description: "When to add and take away replicas",
    examples: [{ metric: "rps", target: 3 }],
  }),
  stop_duration: optional(switchOf(readOffableDuration), "default", {
    description: "Grace before a stopping replica is killed",
    examples: ["5m", "off"],
  }).transform((value) => (value === "off" ? null : value === "default" ? DEFAULT_STOP_S : value)),
  drain_timeout: optional(scalarOf(readDuration), null, {
    description: "How long requests in flight may take when a replica goes; `stop_duration` when left out",
    examples: ["5m"],
  }),
});

/** The groups' schema output and the service's, before defaults are worked out. */
export type WrittenService = z.output<typeof service>;
export type WrittenGroup = z.output<typeof group>;

function readEntrypoint(written: string): Result<string> {
  return written.trim() === "" ? bad("The entrypoint is empty; write a command or leave it out.") : good(written);
}
