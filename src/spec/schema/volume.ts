import * as z from "zod";
import { readVolume, readVolumeName, readVolumePath } from "../grammar/volume.ts";
import type { InstanceVolumeSpec, NetworkVolumeSpec } from "../types.ts";
import { flag, mapping, optional, required, textOf } from "./fields.ts";

const name = textOf(readVolumeName);

const path = required(textOf(readVolumePath), { description: "Where the replica finds it", examples: ["/models"] });

/** What a replica has mounted: a folder or file of its host, or a volume of a cloud. */
export const volume = z.union([
  textOf(readVolume),
  mapping("volume", {
    instance_path: required(textOf(readVolumePath), {
      description: "Folder or file of the host",
      examples: ["/mnt/models"],
    }),
    path,
    optional: optional(flag, false, { description: "Whether a host without it will do", examples: [true] }),
  }).transform(
    ({ instance_path, ...rest }): InstanceVolumeSpec => ({ kind: "instance", instancePath: instance_path, ...rest }),
  ),
  mapping("network volume", {
    name: required(
      z.union([
        name.transform((one) => [one]),
        z.array(name).min(1, "This list names no volume; write the volume's name."),
      ]),
      { description: "The volume's name; of several names one that fits is taken", examples: ["my-volume"] },
    ),
    path,
  }).transform((written): NetworkVolumeSpec => ({ kind: "network", names: written.name, path: written.path })),
]);
