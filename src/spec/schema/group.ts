import * as z from "zod";
import { readDuration } from "../grammar/duration.ts";
import { readGroupName } from "../grammar/names.ts";
import { readInteger, readPositive } from "../grammar/number.ts";
import { readPython } from "../grammar/process.ts";
import { MAX_HOSTS_PER_REPLICA } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { ScalingSpec } from "../types.ts";
import { command, env } from "./env.ts";
import { flag, mapping, optional, required, type Standing, scalarOf, textOf } from "./fields.ts";
import { port } from "./port.ts";
import { probes } from "./probe.ts";
import { profileFields } from "./profile.ts";
import { count } from "./ranges.ts";
import { resources } from "./resources.ts";
import { groupRouter } from "./router.ts";
import { volume } from "./volume.ts";

/** Windows over which load can be averaged: the ones that traffic is counted in. */
const WINDOWS_S = [30, 60, 300];

const scaling = mapping("scaling", {
  metric: required(z.literal("rps"), {
    description: "What is measured; `rps` is requests per second",
    examples: ["rps"],
  }),
  target: required(scalarOf(readPositive), { description: "What one replica shall bear of it", examples: [3] }),
  window: optional(scalarOf(readWindow), 60, {
    description: "Over how long it is averaged: 30s, 60s or 300s",
    examples: ["60s"],
  }),
  scale_up_delay: optional(scalarOf(readDuration), 300, {
    description: "Least time from one change to the next upwards",
    examples: ["5m"],
  }),
  scale_down_delay: optional(scalarOf(readDuration), 600, {
    description: "Least time from one change to the next downwards",
    examples: ["10m"],
  }),
}).transform(
  ({ scale_up_delay, scale_down_delay, ...rest }): ScalingSpec => ({
    ...rest,
    scaleUpDelay: scale_up_delay,
    scaleDownDelay: scale_down_delay,
  }),
);

export const commands = optional(z.array(command), [], {
  description: "Commands of the shell, run one after another until one fails",
  examples: [["pip install smg", "smg launch --port 8000"]],
});

/** The standing of what decides about the image of a group that names none. */
const serversImage: Standing = {
  kind: "extended",
  how: "the image is the one that the server's operator has set for it; without one commands run as processes of the host",
};

/** Where the commands run: these fields stand on the service or on its groups, never both. */
export const imageFields = {
  image: optional(textOf(readImage), null, {
    description: "Container image",
    examples: ["lmsysorg/sglang:latest"],
  }),
  python: optional(scalarOf(readPython), null, {
    description: "Python version of the base image",
    examples: ["3.12"],
    standing: serversImage,
  }),
  nvcc: optional(flag, null, {
    description: "Whether the base image has the CUDA compiler",
    examples: [true],
    standing: serversImage,
  }),
  docker: optional(flag, null, {
    description: "Whether the commands may use Docker themselves",
    examples: [true],
    standing: serversImage,
  }),
  privileged: optional(flag, null, {
    description: "Whether the container has all rights on its host",
    examples: [true],
    standing: { kind: "extended", how: "only on hosts whose fleet allows it" },
  }),
};

/** What a service may say for all of its groups, and each group for itself. */
export const replicaFields = {
  env: optional(env, null, {
    description: "Variables of every replica; a group's own come on top of the service's",
    examples: [["HF_TOKEN", "MODEL_ID=Qwen/Qwen3-8B"]],
  }),
  volumes: optional(z.array(volume), null, {
    description: "Folders and files of the host, and volumes of clouds; a group's own stand in place of the service's",
    examples: [["/mnt/models:/models"]],
    standing: { kind: "extended", how: "paths of a host only where its fleet allows them; volumes of clouds later" },
  }),
  probes: optional(probes, null, {
    description: "What makes a replica ready; left out, the engine's own probe",
    examples: [[{ type: "http", url: "/health" }]],
  }),
  nodes: optional(
    scalarOf((written) => readInteger(written, "write on how many hosts one replica runs", 1, MAX_HOSTS_PER_REPLICA)),
    null,
    {
      description: "How many hosts one replica spans; 1 when left out",
      examples: [2],
      standing: {
        kind: "later",
        when: "replicas can span hosts",
        until: "more than one is refused when it is applied",
        except: [1],
      },
    },
  ),
};

export const scalingField = optional(scaling, null, {
  description: "When to add and take away replicas",
  examples: [{ metric: "rps", target: 3 }],
  standing: {
    kind: "later",
    when: "scaling exists",
    until: "as many replicas run as the range begins with",
  },
});

const replicaCount = optional(count, null, {
  description: "How many replicas: a number, or a range with `scaling`",
  examples: [1, "1..4"],
});

/** A field of the service that here a group may have too. */
function ofGroup<S extends z.ZodType>(field: S): S {
  const meta = z.globalRegistry.get(field);
  return field.meta({ ...meta, standing: { kind: "extended", how: "a group may say it for itself" } });
}

/** One group of replicas that do the same. */
export const group = mapping("group", {
  name: optional(textOf(readGroupName), null, {
    description: "The group's name; its position when left out",
    examples: ["decode"],
  }),
  count: replicaCount,
  replicas: replicaCount,
  scaling: scalingField,
  role: optional(z.enum(["router", "prefill", "decode", "worker"]), null, {
    description: "What the group does; read from its commands when left out",
    examples: ["prefill"],
    standing: { kind: "extended", how: "only here" },
  }),
  router: optional(groupRouter, null, {
    description: "Makes this group the router of the others",
    examples: [{ type: "smg" }],
    standing: {
      kind: "extended",
      how: "an SMG router may have several replicas, and `retry` may stand beside Dynamo's",
    },
  }),
  resources: optional(resources, null, {
    description: "What one replica needs of its host",
    examples: [{ gpu: "H100:8" }],
  }),
  port: optional(port, null, {
    description: "The port that this group listens on; the service's when left out",
    examples: [30_000],
    standing: { kind: "extended", how: "a group may say it for itself" },
  }),
  commands,
  ...imageFields,
  env: ofGroup(replicaFields.env),
  volumes: replicaFields.volumes,
  probes: ofGroup(replicaFields.probes),
  nodes: replicaFields.nodes,
  fleets: ofGroup(profileFields.fleets),
  spot_policy: profileFields.spot_policy,
  reservation: profileFields.reservation,
});

function readWindow(written: string | number): Result<number> {
  const read = readDuration(written);
  if (!read.ok || WINDOWS_S.includes(read.value)) return read;
  return bad(`${quote(written)} cannot be the window; write \`30s\`, \`60s\` or \`300s\`.`);
}

function readImage(written: string): Result<string> {
  if (/^[\x21-\x7e]{1,500}$/.test(written)) return good(written);
  return bad(`${quote(written)} is no container image; write \`name:tag\` without spaces.`);
}
