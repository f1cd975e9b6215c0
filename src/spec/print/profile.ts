import type { InstanceRef, ProfileParams } from "../types.ts";
import { unless, writeDuration, writeOffable } from "./scalars.ts";
import type { Written } from "./yaml.ts";

/** Defaults of a service's parameters, in seconds. */
const IDLE_S = 300;
const RETRY_S = 3600;
const RETRY_EVENTS = 3;

/** What a service or a cloud fleet says about where and how long its replicas run. */
export function writeProfile(profile: ProfileParams): Record<string, Written | undefined> {
  const { maxDurationS, utilizationPolicy, instances } = profile;
  return {
    ...writeOffers(profile),
    max_duration: maxDurationS === null ? undefined : writeDuration(maxDurationS),
    creation_policy: unless("reuse-or-create", profile.creationPolicy),
    idle_duration: profile.idleDurationS === IDLE_S ? undefined : writeOffable(profile.idleDurationS),
    utilization_policy:
      utilizationPolicy === null
        ? undefined
        : {
            min_gpu_utilization: utilizationPolicy.minGpuUtilization,
            time_window: writeDuration(utilizationPolicy.timeWindowS),
          },
    startup_order: unless("any", profile.startupOrder),
    stop_criteria: unless("all-done", profile.stopCriteria),
    instances: instances === null ? undefined : instances.map(writeInstance),
  };
}

type Offers = Pick<
  ProfileParams,
  "backends" | "regions" | "availabilityZones" | "instanceTypes" | "retry" | "maxPrice" | "tags" | "backendOptions"
>;

/** The part that fleets have too. */
export function writeOffers(offers: Offers): Record<string, Written | undefined> {
  return {
    backends: offers.backends ?? undefined,
    regions: offers.regions ?? undefined,
    availability_zones: offers.availabilityZones ?? undefined,
    instance_types: offers.instanceTypes ?? undefined,
    retry: writeRetry(offers.retry),
    max_price: offers.maxPrice ?? undefined,
    tags: Object.keys(offers.tags).length === 0 ? undefined : offers.tags,
    backend_options: offers.backendOptions.length === 0 ? undefined : (offers.backendOptions as Written[]),
  };
}

function writeRetry(retry: ProfileParams["retry"]): Written | undefined {
  if (retry === null) return undefined;
  const everything = retry.onEvents.length === RETRY_EVENTS;
  if (everything && retry.durationS === RETRY_S) return true;
  return {
    on_events: everything ? undefined : [...retry.onEvents],
    duration: retry.durationS === RETRY_S ? undefined : writeDuration(retry.durationS),
  };
}

function writeInstance(instance: InstanceRef): Written {
  return "name" in instance ? instance.name : { ...instance };
}
