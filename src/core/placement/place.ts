import { moveReplica } from "../replicas/lifecycle.ts";
import { currentRevision } from "../services/revision.ts";
import type { ReplicaEntity } from "../state.ts";
import type { StepContext } from "../step.ts";
import { arrange } from "./arrange.ts";

/** Finds hosts for what waits for one: that of the services with a higher priority first, then by the services' names. */
export function placeWaiting(context: StepContext, services: Iterable<string>): void {
  const { draft } = context;
  const queue = [...services].flatMap((id) => {
    const service = draft.get("service", id);
    return service ? [{ id, priority: currentRevision(draft, service).spec.priority }] : [];
  });
  queue.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  for (const { id } of queue) placeReplicas(context, id);
}

function placeReplicas(context: StepContext, service: string): void {
  const { draft, now } = context;
  const waiting = draft.by("replica", "service", service).filter((replica) => replica.status === "pending");
  if (waiting.length === 0) return;
  const { jobs, left } = arrange(context, waiting);
  for (const job of jobs) {
    const { name } = draft.must("host", job.host);
    moveReplica(draft, draft.must("replica", job.replica), "placed", `placed on ${name}`, now);
  }
  for (const { replica, reason } of left) wait(context, replica, reason);
}

/** Keeps the reason why there is no place for a replica. */
function wait({ draft }: StepContext, replica: ReplicaEntity, reason: string): void {
  if (reason === replica.reason) return;
  draft.put({ ...replica, reason });
  draft.event({
    type: "replica.waiting",
    service: replica.service,
    group: replica.group,
    replica: replica.id,
    message: reason,
  });
}
