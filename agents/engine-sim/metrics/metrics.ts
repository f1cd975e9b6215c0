import type { Engine } from "../engine.ts";
import type { Startup } from "../loading.ts";
import type { Settings } from "../settings.ts";
import type { Telemetry } from "../telemetry.ts";
import { EXPOSITION_TYPE, expose, Figure } from "./exposition.ts";
import { RankMetrics } from "./rank-metrics.ts";
import { RequestMetrics } from "./request-metrics.ts";

/** All that `/metrics` says. */
export interface Metrics {
  telemetry: Telemetry;
  /** The media type of its text. */
  type: string;
  /** @param active requests over HTTP in progress */
  text(engine: Engine, active: number): string;
}

export function engineMetrics(settings: Settings, startup: Startup): Metrics {
  const requests = new RequestMetrics(settings);
  const ranks = new RankMetrics(settings, startup);
  const activeRequests = new Figure("gauge", "sglang:http_requests_active", "Requests over HTTP in progress.");
  const routingKeys = new Figure("gauge", "sglang:routing_keys_active", "Routing keys of requests in progress.");
  return {
    telemetry: requests,
    type: EXPOSITION_TYPE,
    text(engine, active) {
      ranks.update(engine.ranks);
      activeRequests.set(settings.metrics.extraLabels, active);
      routingKeys.set(settings.metrics.extraLabels, 0);
      return expose([...requests.families, ...ranks.families, activeRequests, routingKeys]);
    },
  };
}
