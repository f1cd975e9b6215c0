import { hasForgotten, routersOf } from "../replicas/let-go.ts";
import type { JobEntity, ReplicaEntity } from "../state.ts";
import type { StepContext } from "../step.ts";

/**
 * Keeps the ports of a worker that is gone from everyone else for as long as a router may send to them. A router knows
 * its workers by address alone: one that cannot be asked, on a host that is cut off from us and not from its peers,
 * would take whatever listens there next for the worker that it was told of, be it another service's. Therefore they are
 * kept by address as well: a machine that is removed and joins again is another host.
 */
export function holdPorts({ draft }: StepContext, worker: ReplicaEntity, job: JobEntity): void {
  const routers = routersOf(draft, worker.service);
  // No router sends to another one.
  if (!worker.wasReady || routers.some(({ id }) => id === worker.id)) return;
  const since = worker.unlistedIn ?? draft.version;
  for (const router of routers) {
    if (hasForgotten(draft, router, worker.id, since)) continue;
    draft.put({
      kind: "hold",
      id: `${job.id}/${router.id}`,
      service: worker.service,
      worker: worker.id,
      router: router.id,
      host: job.host,
      address: draft.must("host", job.host).inventory.address,
      ports: job.ports.map(({ port }) => port),
      since,
    });
  }
}

/** Gives back what routers have let go of, or that were for routers which are gone. */
export function releasePorts(context: StepContext, service: string): void {
  const { draft, placer } = context;
  for (const hold of draft.by("hold", "service", service)) {
    const router = draft.get("replica", hold.router);
    if (router && !hasForgotten(draft, router, hold.worker, hold.since)) continue;
    draft.delete("hold", hold.id);
    placer.portsReleased();
    context.roomFreed = true;
  }
}
