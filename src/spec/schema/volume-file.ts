import * as z from "zod";
import { readIdleDuration } from "../grammar/duration.ts";
import { readMemory } from "../grammar/memory.ts";
import { quote } from "../quote.ts";
import { bad, type Result } from "../result.ts";
import { flag, mapping, optional, required, type Standing, scalarOf, someOf, switchOf } from "./fields.ts";
import { resourceName } from "./name.ts";
import { cloudName, tags } from "./offers.ts";

const withVolumes: Standing = { kind: "later", when: "volumes of clouds exist" };

const volumeBackends = ["aws", "gcp", "runpod", "daytona", "lium", "kubernetes"] as const;

const accessMode = z.enum(["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]);

/** A volume as it is written; `rules/volume.ts` says which fields each backend has. */
export const volumeFile = mapping("volume file", {
  type: required(z.literal("volume"), { description: "What the file describes", examples: ["volume"] }),
  name: resourceName("What the volume is called", "my-models"),
  backend: required(z.enum(volumeBackends), {
    description: "The cloud that has it: aws, gcp, runpod, daytona, lium or kubernetes",
    examples: ["aws"],
    standing: withVolumes,
  }),
  region: optional(cloudName, null, {
    description: "The cloud's region",
    examples: ["eu-west-1"],
    standing: withVolumes,
  }),
  availability_zone: optional(cloudName, null, {
    description: "The zone of the region, at aws and gcp",
    examples: ["eu-west-1a"],
    standing: withVolumes,
  }),
  size: optional(scalarOf(readSize), null, {
    description: "Size of a volume that is made",
    examples: ["100GB"],
    standing: withVolumes,
  }),
  volume_id: optional(cloudName, null, {
    description: "The cloud's id of a volume that exists",
    examples: ["vol-0123456789abcdef0"],
    standing: withVolumes,
  }),
  claim_name: optional(cloudName, null, {
    description: "The PersistentVolumeClaim of Kubernetes that exists",
    examples: ["models"],
    standing: withVolumes,
  }),
  storage_class_name: optional(cloudName, null, {
    description: "The StorageClass of Kubernetes of a volume that is made",
    examples: ["fast-ssd"],
    standing: withVolumes,
  }),
  access_modes: optional(someOf(accessMode), null, {
    description: "How nodes of Kubernetes may mount it; ReadWriteOnce when left out",
    examples: [["ReadWriteMany"]],
    standing: withVolumes,
  }),
  read_only: optional(flag, null, {
    description: "Whether it is mounted for reading alone, at Kubernetes",
    examples: [true],
    standing: withVolumes,
  }),
  auto_cleanup_duration: optional(switchOf(readIdleDuration), "off", {
    description: "How long a volume that was made stays unused before it is deleted; for ever when left out",
    examples: ["7d", "off"],
    standing: withVolumes,
  }).transform((value) => (typeof value === "number" ? value : null)),
  tags,
});

export type WrittenVolume = z.output<typeof volumeFile>;

function readSize(written: string | number): Result<number> {
  const read = readMemory(written);
  return read.ok && read.value <= 0 ? bad(`${quote(written)} is no size; write for example \`100GB\`.`) : read;
}
