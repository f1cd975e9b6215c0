import type { Suite } from "./case.ts";

const volume = "type: volume\nname: models\n";
const aws = `${volume}backend: aws\nregion: eu-west-1\n`;
const kubernetes = `${volume}backend: kubernetes\n`;

const claim = { claimName: null, storageClassName: null, accessModes: ["ReadWriteOnce"], readOnly: false };

/** Files of `type: volume`. */
export const volumeFiles: Suite = {
  means: [
    [
      `${aws}size: 100GB`,
      "",
      {
        type: "volume",
        name: "models",
        backend: "aws",
        region: "eu-west-1",
        availabilityZone: null,
        size: 100,
        volumeId: null,
        kubernetes: null,
        autoCleanupDurationS: null,
        tags: {},
      },
    ],
    [`${aws}size: 1TB`, "size", 1024],
    [`${aws}size: 200\navailability_zone: eu-west-1a`, "availabilityZone", "eu-west-1a"],
    [`${aws}volume_id: vol-1`, "volumeId", "vol-1"],
    [`${aws}size: 1TB\nauto_cleanup_duration: 7d`, "autoCleanupDurationS", 604_800],
    [`${aws}size: 1TB\nauto_cleanup_duration: off`, "autoCleanupDurationS", null],
    [`${aws}size: 1TB\ntags: {team: search}`, "tags", { team: "search" }],
    [`${volume}backend: gcp\nregion: europe-west4\nsize: 1TB`, "backend", "gcp"],
    [`${volume}backend: runpod\nregion: EU-SE-1\nsize: 1TB`, "region", "EU-SE-1"],
    [`${volume}backend: daytona\nvolume_id: v1`, "", { backend: "daytona", region: null, volumeId: "v1" }],
    [`${volume}backend: lium\nvolume_id: v1`, "volumeId", "v1"],
    [`${kubernetes}size: 10GB`, "", { region: "", size: 10, kubernetes: claim }],
    [`${kubernetes}claim_name: data`, "kubernetes", { ...claim, claimName: "data" }],
    [
      `${kubernetes}size: 10GB\nstorage_class_name: fast\naccess_modes: [ReadWriteMany]\nread_only: true`,
      "kubernetes",
      { claimName: null, storageClassName: "fast", accessModes: ["ReadWriteMany"], readOnly: true },
    ],
  ],
  refused: [
    [`${volume}size: 1TB`, 1, "`backend` is missing"],
    [`${volume}backend: azure\nsize: 1TB`, 3, "`azure` is not one of"],
    [`${volume}backend: aws\nsize: 1TB`, 1, "`region` is missing"],
    [aws, 1, "Write the `size`", "`volume_id` of one that exists"],
    [kubernetes, 1, "Write the `size`", "`claim_name` of one that exists"],
    [`${volume}backend: lium`, 1, "`volume_id` is missing"],
    [`${volume}backend: lium\nvolume_id: v1\nsize: 1TB`, 5, "`size` means nothing at `lium`"],
    [`${aws}size: 1TB\nclaim_name: data`, 6, "`claim_name` means nothing at `aws`"],
    [`${kubernetes}size: 1TB\nvolume_id: v1`, 5, "`volume_id` means nothing at `kubernetes`"],
    [`${volume}backend: runpod\nregion: x\nsize: 1TB\navailability_zone: y`, 6, "means nothing at `runpod`"],
    [`${aws}size: 0`, 5, "`0` is no size"],
    [`${aws}size: 1TiB`, 5, "is not an amount of memory"],
    [`${aws}size: 100GB..`, 5, "is not an amount of memory"],
    [`${aws}volume_id: vol-1\nauto_cleanup_duration: 7d`, 6, "is for volumes that were made"],
    [`${aws}size: 1TB\nauto_cleanup_duration: -2`, 6, "is negative"],
    [`${kubernetes}size: 1TB\naccess_modes: [ReadWriteAll]`, 5, "`ReadWriteAll` is not one of"],
    [`${kubernetes}size: 1TB\naccess_modes: []`, 5, "This list is empty"],
    [`${aws}sise: 1TB\nvolume_id: v`, 5, "did you mean `size`?"],
    [`${aws}size: 1TB\ntags: {a.b: x}`, 6, "cannot be the key of a tag"],
  ],
  notes: [
    [
      `${aws}size: 1TB`,
      "1 type: Volumes of clouds do not exist yet. Mount a folder that the hosts have, for example a shared file system: `volumes: [/mnt/models:/models]` in the service.",
    ],
  ],
};
