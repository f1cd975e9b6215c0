import { escapeTemplate } from "../spec/grammar/interpolation.ts";
import type { ModelSpec, ProbeSpec } from "../spec/types.ts";

/**
 * The probe of what faces requests when a service names a model but no probes: one token of a chat. It is dstack's
 * default, to the number: 30 s to answer, 15 s between, one success.
 */
export function chatProbe(model: ModelSpec): ProbeSpec {
  return {
    type: "http",
    url: escapeTemplate(`${model.prefix.replace(/\/+$/, "")}/chat/completions`),
    method: "post",
    headers: [{ name: "Content-Type", value: "application/json" }],
    body: escapeTemplate(
      JSON.stringify({ model: model.name, messages: [{ role: "user", content: "hi" }], max_tokens: 1 }),
    ),
    timeout: 30,
    interval: 15,
    readyAfter: 1,
    untilReady: false,
  };
}

/** A plain GET that is asked for as long as the job runs. Seconds. */
export function getProbe(url: string, times: { timeout: number; interval: number }): ProbeSpec {
  return { type: "http", url, method: "get", headers: [], body: null, ...times, readyAfter: 1, untilReady: false };
}
