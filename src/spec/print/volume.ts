import type { KubernetesClaim, VolumeSpec } from "../types-volume.ts";
import type { Fields } from "./group.ts";
import { isSame, unless, writeDuration, writeMemory } from "./scalars.ts";

export function writeVolumeFile(spec: VolumeSpec): Fields {
  return {
    type: spec.type,
    name: spec.name,
    backend: spec.backend,
    region: spec.region || undefined,
    availability_zone: spec.availabilityZone ?? undefined,
    size: spec.size === null ? undefined : writeMemory(spec.size),
    volume_id: spec.volumeId ?? undefined,
    ...(spec.kubernetes === null ? {} : writeClaim(spec.kubernetes)),
    auto_cleanup_duration: spec.autoCleanupDurationS === null ? undefined : writeDuration(spec.autoCleanupDurationS),
    tags: Object.keys(spec.tags).length === 0 ? undefined : spec.tags,
  };
}

function writeClaim({ claimName, storageClassName, accessModes, readOnly }: KubernetesClaim): Fields {
  return {
    claim_name: claimName ?? undefined,
    storage_class_name: storageClassName ?? undefined,
    access_modes: isSame(accessModes, ["ReadWriteOnce"]) ? undefined : accessModes,
    read_only: unless(false, readOnly),
  };
}
