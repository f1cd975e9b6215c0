import type { Millis, ServiceEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { currentRevision } from "./revision.ts";

/**
 * Notes when a service first had all of its replicas ready, and stops it once it has run for its `max_duration` since
 * then. Only a stop starts the count anew: a service that is changed, moved or down for a while in between runs on.
 */
export function expireService({ draft, now }: StepContext, service: ServiceEntity): void {
  if (service.status !== "running") return;
  const { maxDurationS } = currentRevision(draft, service).spec.profile;
  const expiresAt = expiryOf(service, maxDurationS);
  if (expiresAt !== null && now >= expiresAt) {
    draft.put({ ...service, status: "stopping", backoff: {} });
    draft.event({
      type: "service.expired",
      service: service.id,
      message: `it has run for its max_duration of ${maxDurationS} s`,
    });
  } else if (service.firstReadyAt === null && isComplete(draft, service)) {
    draft.put({ ...service, firstReadyAt: now });
  }
}

/** When a service is to be stopped because of its `max_duration`; null = not as far as is known. */
export function expiryOf({ firstReadyAt }: ServiceEntity, maxDurationS: number | null): Millis | null {
  return firstReadyAt === null || maxDurationS === null ? null : firstReadyAt + maxDurationS * 1_000;
}

function isComplete(draft: StepContext["draft"], service: ServiceEntity): boolean {
  const ready = new Map<string, number>();
  for (const { group, status } of draft.by("replica", "service", service.id)) {
    if (status === "ready") ready.set(group, (ready.get(group) ?? 0) + 1);
  }
  return ready.size > 0 && Object.entries(service.wanted).every(([group, count]) => (ready.get(group) ?? 0) >= count);
}
