import * as z from "zod";
import { readJson } from "./json.ts";

/** Counters by name; other members (`mode`, timestamps, figures in GB) are not counted and may be anything. */
const counters = z.record(z.string(), z.unknown());

const loads = z.object({
  loads: z
    .array(
      z.looseObject({
        num_running_reqs: z.number(),
        num_waiting_reqs: z.number(),
        disaggregation: counters.nullish(),
        queues: counters.nullish(),
      }),
    )
    .min(1),
});

/**
 * Whether an answer of `/v1/loads` says that the engine holds no request at all. Every counter counts, whatever it is
 * called in this version: a prefill with none running may still be sending its cache (`prefill_inflight_queue_reqs`),
 * a decode may hold requests that wait for one (`decode_prealloc_queue_reqs`, `decode_transfer_queue_reqs`).
 * @returns null when the answer is not of that kind
 */
export function readSglangIdle(status: number, body: string): boolean | null {
  const answer = readJson(loads, status, body);
  if (!answer) return null;
  return answer.loads.every(
    (load) =>
      none(load, (name) => name.startsWith("num_") && name.endsWith("_reqs")) &&
      none(load.disaggregation ?? {}, (name) => name.endsWith("_reqs")) &&
      none(load.queues ?? {}, () => true),
  );
}

function none(values: Record<string, unknown>, isCounter: (name: string) => boolean): boolean {
  return Object.entries(values).every(([name, value]) => !isCounter(name) || typeof value !== "number" || value === 0);
}
