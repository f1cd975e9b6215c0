import { addressesFor } from "./addresses.ts";
import { moveReplica } from "./lifecycle.ts";
import { describeNoFit } from "./placement.ts";
import { currentRevision, groupOfReplica, revisionOf } from "./revision.ts";
import type { JobEntity, ReplicaEntity } from "./state.ts";
import type { StepContext } from "./step.ts";

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

/** One that asks for the address of another is placed after it. Each is tried once, however they ask for each other. */
function placeReplicas(context: StepContext, service: string): void {
  const { draft } = context;
  let waiting = draft.by("replica", "service", service).filter((replica) => replica.status === "pending");
  for (let tried = -1; tried !== 0; ) {
    const before = waiting.length;
    waiting = waiting.filter((replica) => {
      const found = addressesFor(draft, replica);
      if (found.ok) place(context, replica, found.addresses);
      return !found.ok;
    });
    tried = before - waiting.length;
  }
  for (const replica of waiting) {
    const found = addressesFor(draft, replica);
    if (!found.ok) wait(context, replica, found.reason);
  }
}

/** Finds a host for a replica, or keeps the reason why there is none. */
function place(context: StepContext, replica: ReplicaEntity, addresses: JobEntity["addresses"]): void {
  const { draft, now, placer } = context;
  const revision = revisionOf(draft, replica);
  const group = groupOfReplica(draft, replica);
  const key = `${revision.id}/${replica.group}`;
  const placed = placer.place(key, revision, group);
  if (!("host" in placed)) {
    wait(context, replica, describeNoFit(placed));
    return;
  }
  const { host, promise } = placed;
  const job: JobEntity = {
    kind: "job",
    id: `${replica.id}.0`,
    replica: replica.id,
    service: replica.service,
    group: replica.group,
    rank: 0,
    host: host.id,
    status: "assigned",
    since: now,
    runtime: promise.runtime,
    created: draft.version,
    port: promise.ports.find((claim) => claim.name === "service")?.port ?? group.spec.port,
    ports: promise.ports,
    accelerators: promise.accelerators,
    addresses,
  };
  draft.put(job);
  placer.placed(key, group.spec, job, host);
  moveReplica(draft, replica, "placed", `placed on ${host.name}`, now);
}

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
