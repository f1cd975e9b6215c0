import type { WrittenVolume } from "./schema/volume-file.ts";
import type { VolumeSpec } from "./types-volume.ts";

/** Works out what a written volume means. */
export function fillVolume(written: WrittenVolume): VolumeSpec {
  const atKubernetes = written.backend === "kubernetes";
  return {
    type: "volume",
    name: written.name,
    backend: written.backend,
    region: written.region ?? (atKubernetes ? "" : null),
    availabilityZone: written.availability_zone,
    size: written.size,
    volumeId: written.volume_id,
    kubernetes: atKubernetes
      ? {
          claimName: written.claim_name,
          storageClassName: written.storage_class_name,
          accessModes: written.access_modes ?? ["ReadWriteOnce"],
          readOnly: written.read_only ?? false,
        }
      : null,
    autoCleanupDurationS: written.auto_cleanup_duration,
    tags: written.tags,
  };
}
