import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { OddScalar } from "../yaml/plain-scalar.ts";
import { mapping } from "./fields.ts";
import { profileFields, profileOf } from "./profile.ts";

const profile = mapping("profile", profileFields);

function read(written: object) {
  return profileOf(profile.parse(written));
}

function problems(written: object): string[] {
  const result = profile.safeParse(written);
  return result.success ? [] : result.error.issues.flatMap(messagesOf);
}

/** What the alternatives of a union say counts too: `explainIssues` picks the one that was meant. */
function messagesOf(issue: z.core.$ZodIssue): string[] {
  const nested = issue.code === "invalid_union" ? issue.errors.flat().flatMap(messagesOf) : [];
  return [`${issue.path.join(".")}: ${issue.message}`, ...nested];
}

const nothingSaid = {
  profile: {
    backends: null,
    regions: null,
    availabilityZones: null,
    instanceTypes: null,
    retry: null,
    maxDurationS: null,
    maxPrice: null,
    creationPolicy: "reuse-or-create",
    idleDurationS: 300,
    utilizationPolicy: null,
    startupOrder: "any",
    stopCriteria: "all-done",
    instances: null,
    tags: {},
    backendOptions: [],
  },
  fleets: null,
  spotPolicy: "on-demand",
  reservation: null,
  stopDuration: 300,
};

const allEvents = ["no-capacity", "interruption", "error"];

describe("the parameters of a profile", () => {
  test("each has a default, and null means the same as nothing", () => {
    const nulls = Object.fromEntries(Object.keys(profileFields).map((key) => [key, null]));
    expect(read({})).toEqual(nothingSaid);
    expect(read(nulls)).toEqual(nothingSaid);
  });

  test.each([
    [{ retry: true }, { retry: { onEvents: allEvents, durationS: 3600 } }],
    [{ retry: false }, { retry: null }],
    [{ retry: {} }, { retry: { onEvents: allEvents, durationS: 3600 } }],
    [{ retry: { on_events: ["error", "error"] } }, { retry: { onEvents: ["error"], durationS: 3600 } }],
    [{ retry: { duration: "2h" } }, { retry: { onEvents: allEvents, durationS: 7200 } }],
    [{ max_duration: "off" }, { maxDurationS: null }],
    [{ max_duration: false }, { maxDurationS: null }],
    [{ max_duration: true }, { maxDurationS: null }],
    [{ max_duration: "1d" }, { maxDurationS: 86400 }],
    [{ idle_duration: "off" }, { idleDurationS: null }],
    [{ idle_duration: -1 }, { idleDurationS: null }],
    [{ idle_duration: "-1" }, { idleDurationS: null }],
    [{ idle_duration: true }, { idleDurationS: 300 }],
    [{ idle_duration: 0 }, { idleDurationS: 0 }],
    [
      { utilization_policy: { min_gpu_utilization: 10, time_window: "30m" } },
      { utilizationPolicy: { minGpuUtilization: 10, timeWindowS: 1800 } },
    ],
    [{ instances: ["gpu-1", { hostname: "10.0.0.5" }] }, { instances: [{ name: "gpu-1" }, { hostname: "10.0.0.5" }] }],
    [{ tags: { team: "search", n: 5 } }, { tags: { team: "search", n: "5" } }],
    [
      { backends: ["aws", "vastai"], regions: ["eu"] },
      { backends: ["aws", "vastai"], regions: ["eu"] },
    ],
    [{ backend_options: [{ type: "vastai", a: 1 }] }, { backendOptions: [{ type: "vastai", a: 1 }] }],
    [{ max_price: "2.5" }, { maxPrice: 2.5 }],
  ])("%j", (written, expected) => {
    expect(read(written)).toEqual({ ...nothingSaid, profile: { ...nothingSaid.profile, ...expected } });
  });

  test("what a service keeps on itself and in its groups stands apart", () => {
    const written = {
      fleets: ["gpus", "team-a/gpus", { name: "gpus" }, { project: "team-a", name: "gpus" }],
      spot_policy: "auto",
      reservation: "cr-1",
      stop_duration: "off",
    };
    const own = { project: null, name: "gpus" };
    const other = { project: "team-a", name: "gpus" };
    expect(read(written)).toEqual({
      ...nothingSaid,
      fleets: [own, other, own, other],
      spotPolicy: "auto",
      reservation: "cr-1",
      stopDuration: null,
    });
  });

  test.each([
    [{ retry: { on_events: [] } }, "on_events: This list is empty"],
    [{ retry: { duration: -5 } }, "is negative"],
    [{ idle_duration: "-5m" }, "is negative"],
    [{ idle_duration: "soon" }, "or `off`."],
    [{ max_price: 0 }, "max_price: `0` is not a number above 0"],
    [{ utilization_policy: { min_gpu_utilization: 101, time_window: "5m" } }, "write a percentage from 0 to 100"],
    [{ utilization_policy: { min_gpu_utilization: 1, time_window: "4m" } }, "write at least `5m`"],
    [{ schedule: { cron: "0 8 * * *" } }, "is not started by a clock; remove `schedule`"],
    [{ schedule: new OddScalar("010", { kind: "null" }, { kind: "null" }) }, "is not started by a clock"],
    [{ fleets: [] }, "fleets: This list is empty"],
    [{ fleets: ["a/b/c"] }, "`a/b/c` names nothing"],
    [{ fleets: ["/gpus"] }, "`/gpus` names nothing"],
    [{ fleets: ["Gpus"] }, "Nothing can be named `Gpus`"],
    [{ instances: [] }, "instances: This list is empty"],
    [{ instances: [{}] }, "This names no host"],
    [{ instances: [{ name: "a", hostname: "b" }] }, "write one of them"],
    [{ instances: [{ fleet: "gpus", instance: 0 }] }, "instance: Hosts have names here and no numbers"],
    [{ instances: ["a b"] }, "`a b` is no name of a host"],
    [{ tags: { "a b": "x" } }, "`a b` cannot be the key of a tag"],
    [{ tags: { a: "ü" } }, "`ü` cannot be the value of a tag"],
    [{ tags: { a: "x".repeat(257) } }, "at most 256"],
    [{ regions: ["eu west"] }, "write it without spaces"],
    [{ backend_options: [{ type: "aws" }] }, "`aws` has no options of its own"],
    [{ backend_options: [{}] }, "`type` is missing"],
    [{ backend_options: [{ type: "vastai" }, { type: "vastai" }] }, "options for this cloud already"],
  ])("%j is refused", (written, message) => {
    expect(problems(written).join("\n")).toContain(message);
  });
});
