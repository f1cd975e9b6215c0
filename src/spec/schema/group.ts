import * as z from "zod";
import { readDuration } from "../grammar/duration.ts";
import { readGroupName } from "../grammar/names.ts";
import { readPositive } from "../grammar/number.ts";
import { readPython } from "../grammar/process.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { RouterSpec, ScalingSpec } from "../types.ts";
import { command } from "./env.ts";
import { flag, mapping, optional, required, scalarOf, textOf } from "./fields.ts";
import { count } from "./ranges.ts";
import { resources } from "./resources.ts";

/** Windows over which load can be averaged: the ones that traffic is counted in. */
const WINDOWS_S = [30, 60, 300];

export const scaling = mapping("scaling", {
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

/** Where the commands run: these fields stand on the service or on its groups, never both. */
export const imageFields = {
  image: optional(textOf(readImage), null, { description: "Container image", examples: ["lmsysorg/sglang:latest"] }),
  python: optional(scalarOf(readPython), null, { description: "Python version of the base image", examples: ["3.12"] }),
  nvcc: optional(flag, null, { description: "Whether the base image has the CUDA compiler", examples: [true] }),
  docker: optional(flag, null, { description: "Whether the commands may use Docker themselves", examples: [true] }),
  privileged: optional(flag, null, {
    description: "Whether the container has all rights on its host",
    examples: [true],
  }),
};

const router = mapping("router", {
  type: optional(z.enum(["smg", "sglang", "dynamo"]), "smg", {
    description: "The program that spreads requests: `smg` (or its older name `sglang`) or `dynamo`",
    examples: ["smg"],
  }),
}).transform(({ type }): RouterSpec => ({ type: type === "sglang" ? "smg" : type, generated: null }));

const replicaCount = optional(count, null, {
  description: "How many replicas: a number, or a range with `scaling`",
  examples: [1, "1..4"],
});

/** One group of replicas that do the same. */
export const group = mapping("group", {
  name: optional(textOf(readGroupName), null, {
    description: "The group's name; its position when left out",
    examples: ["decode"],
  }),
  count: replicaCount,
  replicas: replicaCount,
  scaling: optional(scaling, null, {
    description: "When to add and take away replicas",
    examples: [{ metric: "rps", target: 3 }],
  }),
  role: optional(z.enum(["router", "prefill", "decode", "worker"]), null, {
    description: "What the group does; read from its commands when left out",
    examples: ["prefill"],
  }),
  router: optional(router, null, {
    description: "Makes this group the router of the others",
    examples: [{ type: "smg" }],
  }),
  resources: optional(resources, null, {
    description: "What one replica needs of its host",
    examples: [{ gpu: "H100:8" }],
  }),
  commands,
  ...imageFields,
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
