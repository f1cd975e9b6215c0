import * as z from "zod";
import { readDuration } from "../grammar/duration.ts";
import type { ProfileParams, RetryEvent } from "../types.ts";
import { flag, mapping, optional, type Standing, scalarOf, someOf } from "./fields.ts";

const events: readonly RetryEvent[] = ["no-capacity", "interruption", "error"];

/** One hour, in seconds. */
const DEFAULT_RETRY_S = 3600;

const everything = { onEvents: [...events], durationS: DEFAULT_RETRY_S };

const always: Standing = { kind: "better", how: "a service tries everything again, for as long as it exists" };

/** `true`, or what is tried again and for how long; null when nothing is asked for. */
export const retry = z.union([
  flag.transform((on): ProfileParams["retry"] => (on ? everything : null)),
  mapping("retry", {
    on_events: optional(someOf(z.enum(events)), null, {
      description: "What is tried again: no-capacity, interruption, error; all three when left out",
      examples: [["no-capacity", "interruption"]],
      standing: always,
    }),
    duration: optional(scalarOf(readDuration), DEFAULT_RETRY_S, {
      description: "For how long",
      examples: ["1h"],
      standing: always,
    }),
  }).transform(({ on_events, duration }): ProfileParams["retry"] => ({
    onEvents: on_events === null ? [...events] : events.filter((event) => on_events.includes(event)),
    durationS: duration,
  })),
]);
