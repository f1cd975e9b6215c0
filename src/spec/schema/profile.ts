import * as z from "zod";
import { readDuration, readOffableDuration } from "../grammar/duration.ts";
import { readInteger } from "../grammar/number.ts";
import { quote } from "../quote.ts";
import { bad, type Result } from "../result.ts";
import type { GroupSpec, ProfileParams, ServiceSpec } from "../types.ts";
import { mapping, optional, refused, required, type Standing, scalarOf, someOf, switchOf } from "./fields.ts";
import { instances } from "./instances.ts";
import { idleDuration, offerFields, withCloudFleets } from "./offers.ts";
import { entityRef } from "./references.ts";
import { retry } from "./retry.ts";

/** Five minutes, in seconds: how long a stopping replica has, and how long a cloud host outlives the run it was for. */
const FIVE_MINUTES_S = 300;

/** Why services take no schedule, without the full stop. */
export const noSchedule =
  "A service runs from `headrace apply` until `headrace stop` and is not started by a clock; remove `schedule`, and call the two from a scheduler of your own";

/** The standing of what looks at how busy accelerators are. */
const withLoad: Standing = { kind: "later", when: "the load of accelerators is measured" };

const utilizationPolicy = mapping("utilization_policy", {
  min_gpu_utilization: required(scalarOf(readPercent), {
    description: "Percentage below which an accelerator counts as idle",
    examples: [10],
    standing: withLoad,
  }),
  time_window: required(scalarOf(readTimeWindow), {
    description: "How long it must have been idle, at least 5m",
    examples: ["30m"],
    standing: withLoad,
  }),
}).transform(({ min_gpu_utilization, time_window }) => ({
  minGpuUtilization: min_gpu_utilization,
  timeWindowS: time_window,
}));

/**
 * The parameters that may stand in a service as well as in a profile. What neither of them says is null or the
 * default; `profileOf` makes of them what a service keeps.
 */
export const profileFields = {
  ...offerFields,
  retry: optional(retry, null, {
    description: "What shall be tried again after it failed, and for how long",
    examples: [true, { on_events: ["no-capacity"], duration: "1h" }],
    standing: {
      kind: "better",
      how: "a replica that fails is restarted or replaced and one without a place waits for it, with or without `retry`, for as long as the service exists; a service never ends because one replica failed",
    },
  }),
  max_duration: optional(switchOf(readOffableDuration), "off", {
    description: "How long the service may run before it is stopped",
    examples: ["2h", "off"],
  }).transform((value) => (typeof value === "number" ? value : null)),
  stop_duration: optional(switchOf(readOffableDuration), "default", {
    description: "Grace before a stopping replica is killed",
    examples: ["5m", "off"],
  }).transform((value) => (value === "off" ? null : value === "default" ? FIVE_MINUTES_S : value)),
  creation_policy: optional(z.enum(["reuse", "reuse-or-create"]), "reuse-or-create", {
    description: "Whether cloud hosts may be made for it, or only existing ones used",
    examples: ["reuse"],
    standing: withCloudFleets,
  }),
  idle_duration: idleDuration(FIVE_MINUTES_S),
  utilization_policy: optional(utilizationPolicy, null, {
    description: "Stops what leaves its accelerators idle",
    examples: [{ min_gpu_utilization: 10, time_window: "30m" }],
    standing: withLoad,
  }),
  startup_order: optional(z.enum(["any", "master-first", "workers-first"]), "any", {
    description: "Which of a task's nodes starts first",
    examples: ["master-first"],
    standing: { kind: "later", when: "there are tasks of several nodes; a service has no use for it" },
  }),
  stop_criteria: optional(z.enum(["all-done", "master-done"]), "all-done", {
    description: "When a task of several nodes is done",
    examples: ["master-done"],
    standing: { kind: "later", when: "there are tasks of several nodes; a service has no use for it" },
  }),
  schedule: refused(noSchedule, { description: "When to start a run", examples: [{ cron: "0 8 * * mon-fri" }] }),
  fleets: optional(someOf(entityRef), null, {
    description: "Fleets whose hosts may be used; any when left out",
    examples: [["gpu-hosts"]],
  }),
  instances,
};

/** What the fields of a profile are once they are read. */
export type WrittenProfile = z.output<z.ZodObject<typeof profileFields>>;

/** What a service keeps of its profile, and what its groups and the service itself have of it as fields of their own. */
export interface ProfileParts {
  profile: ProfileParams;
  fleets: GroupSpec["fleets"];
  spotPolicy: GroupSpec["spotPolicy"];
  reservation: GroupSpec["reservation"];
  stopDuration: ServiceSpec["stopDuration"];
}

/** Sorts what was written, with every default, to where a service keeps it. */
export function profileOf(written: WrittenProfile): ProfileParts {
  return {
    profile: {
      backends: written.backends,
      regions: written.regions,
      availabilityZones: written.availability_zones,
      instanceTypes: written.instance_types,
      retry: written.retry,
      maxDurationS: written.max_duration,
      maxPrice: written.max_price,
      creationPolicy: written.creation_policy,
      idleDurationS: written.idle_duration,
      utilizationPolicy: written.utilization_policy,
      startupOrder: written.startup_order,
      stopCriteria: written.stop_criteria,
      instances: written.instances,
      tags: written.tags,
      backendOptions: written.backend_options,
    },
    fleets: written.fleets,
    spotPolicy: written.spot_policy ?? "on-demand",
    reservation: written.reservation,
    stopDuration: written.stop_duration,
  };
}

function readPercent(written: string | number): Result<number> {
  return readInteger(written, "write a percentage from 0 to 100", 0, 100);
}

function readTimeWindow(written: string | number): Result<number> {
  const read = readDuration(written);
  return read.ok && read.value < FIVE_MINUTES_S ? bad(`${quote(written)} is too short; write at least \`5m\`.`) : read;
}
