export type VolumeBackend = "aws" | "gcp" | "runpod" | "daytona" | "lium" | "kubernetes";

/** A disk at a cloud. What its cloud has no use for is null. */
export interface VolumeSpec {
  type: "volume";
  name: string;
  backend: VolumeBackend;
  /** Empty for Kubernetes unless written. */
  region: string | null;
  availabilityZone: string | null;
  /** GiB of one that is made; null = an existing one is used. */
  size: number | null;
  /** The cloud's own id of one that exists. */
  volumeId: string | null;
  kubernetes: KubernetesClaim | null;
  /** Seconds unused after which it is deleted; null = never. */
  autoCleanupDurationS: number | null;
  tags: Record<string, string>;
}

export interface KubernetesClaim {
  /** An existing PersistentVolumeClaim. */
  claimName: string | null;
  storageClassName: string | null;
  accessModes: string[];
  readOnly: boolean;
}
