import * as z from "zod";
import { readDuration } from "../grammar/duration.ts";
import { readTemplateFor } from "../grammar/interpolation.ts";
import { readInteger } from "../grammar/number.ts";
import { readAbsolutePath, readShell, readUnixUser } from "../grammar/process.ts";
import { bad, good, type Result } from "../result.ts";
import { endpointFields } from "./endpoint.ts";
import { flag, mapping, optional, refused, required, scalarOf, textOf, unused } from "./fields.ts";
import { file } from "./file.ts";
import { commands, group, imageFields, replicaFields, scalingField } from "./group.ts";
import { model } from "./model.ts";
import { resourceName } from "./name.ts";
import { port } from "./port.ts";
import { profileFields } from "./profile.ts";
import { count } from "./ranges.ts";
import { resources } from "./resources.ts";
import { rolloutFields } from "./rollout.ts";
import { olderRouter, outerRouter } from "./router.ts";

const noDstack = "There is no dstack server whose API replicas could call; remove `dstack`, or write `dstack: false`.";

const registryText = textOf(readTemplateFor("registry"));

const registryAuth = mapping("registry_auth", {
  username: required(registryText, { description: "Who pulls the images", examples: ["${{ env.REGISTRY_USER }}"] }),
  password: required(registryText, {
    description: "The password or token",
    examples: ["${{ secrets.REGISTRY_TOKEN }}"],
  }),
});

/**
 * A service as it is written: the one place of every field's type, default and description. Rules across fields are in
 * `rules/`, what follows from them all is worked out in `fill.ts`.
 */
export const service = mapping("service", {
  type: required(z.literal("service"), { description: "What the file describes", examples: ["service"] }),
  name: resourceName("The service is addressed by its name, and the same name applied again changes it", "my-service"),
  port: required(port, { description: "The port that the replicas listen on", examples: [8000] }),
  ...replicaFields,
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
  registry_auth: optional(registryAuth, null, {
    description: "What a private image is pulled with",
    examples: [{ username: "robot", password: "${{ secrets.REGISTRY_TOKEN }}" }],
  }),
  resources: optional(resources, null, {
    description: "What one replica needs of its host",
    examples: [{ gpu: "H100:8" }],
    standing: {
      kind: "better",
      how: "beside groups it holds for those that have none of their own, and is not ignored",
    },
  }),
  files: optional(z.array(file), [], {
    description: "Files and folders of whoever applies that every replica gets",
    examples: [["./config.json:/app/config.json"]],
    standing: {
      kind: "extended",
      how: "the same contents are the same files whoever applies, whatever their times, owners and umask; at most 16 of 4 MiB each; on hosts that run jobs as processes the path is relative to where the commands start, or begins with `~/`",
    },
  }),
  repos: refused(
    "`repos` is not taken: what is checked out where would depend on the machine that applies; write `git clone` as a command, or list what is needed in `files`",
    { description: "Repositories to check out", examples: [["https://github.com/org/project"]] },
  ),
  single_branch: unused("`single_branch` says something about `repos` alone, which are not taken; remove it", {
    description: "Whether one branch is cloned",
    examples: [true],
  }),
  home_dir: unused("`home_dir` is an old field that means nothing any more; remove it", {
    description: "Once the home folder",
    examples: ["/root"],
  }),
  setup: unused("`setup` is an old field that means nothing any more; write what it does into `commands`", {
    description: "Once commands that ran first",
    examples: [["pip install sglang"]],
  }),
  priority: optional(
    scalarOf((written) => readInteger(written, "write a priority from 0 to 100", 0, 100)),
    0,
    {
      description: "Who has more is placed first, 0 to 100",
      examples: [50],
    },
  ),
  dstack: optional(
    flag.refine((on) => !on, noDstack),
    false,
    {
      description: "Whether replicas may call dstack's server",
      examples: [false],
      standing: { kind: "refused", why: noDstack.slice(0, -1), except: [false] },
    },
  ),
  model: optional(model, null, {
    description: "The model offered under the models endpoint",
    examples: ["Qwen/Qwen2.5-72B-Instruct"],
  }),
  ...endpointFields,
  replicas: optional(z.union([count, z.array(group)]), null, {
    description: "How many replicas; or, in the older spelling, the groups",
    examples: [2, "1..4"],
  }),
  groups: optional(z.array(group), null, {
    description: "Groups of replicas with different tasks",
    examples: [[{ replicas: 1 }]],
  }),
  router: optional(outerRouter, null, {
    description:
      "Puts a router before the groups, which Headrace makes itself; as a group's own field, that group routes",
    examples: [{ type: "sglang", pd_disaggregation: true }],
    standing: olderRouter,
  }),
  scaling: scalingField,
  drain_timeout: optional(scalarOf(readDuration), null, {
    description: "How long requests in flight may take when a replica goes; `stop_duration` when left out",
    examples: ["5m"],
    standing: { kind: "extended", how: "only here" },
  }),
  ...rolloutFields,
  ...profileFields,
});

/** The groups' schema output and the service's, before defaults are worked out. */
export type WrittenService = z.output<typeof service>;
export type WrittenGroup = z.output<typeof group>;

function readEntrypoint(written: string): Result<string> {
  return written.trim() === "" ? bad("The entrypoint is empty; write a command or leave it out.") : good(written);
}
