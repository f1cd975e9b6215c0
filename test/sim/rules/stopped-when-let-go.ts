import { isDraining } from "../../../src/core/replicas/lifecycle.ts";
import type { Process } from "../process.ts";
import { SERVER_CLOCK_OFFSET_MS_MAX, type World } from "../world.ts";

/**
 * A worker that ever served is told to end only when no router lists it and it is idle, or its time to finish is over.
 * A router whose host was lost when the worker was told to finish is not waited for.
 */
export function stoppedWhenLetGo(world: World, process: Process): string | null {
  if (process.role === "router") return null;
  const ledger = world.ledger(process.machine.spec.project);
  const replica = ledger.replica(process.replica);
  if (!replica) return `${process.job} is told to end, and its replica is gone from the state already`;
  if (!isDraining(replica)) return `${process.job} is told to end while its replica is ${replica.status}`;
  const deadlineIsOver = isOver(world, replica.deadline);
  if (!replica.wasReady || deadlineIsOver) return null;
  const router = routersThatList(world, process)[0];
  if (router) return `${process.job} is told to end while ${router.job} lists it`;
  if (process.inFlight.size > 0)
    return `${process.job} is told to end with ${process.inFlight.size} requests under way`;
  return null;
}

/** Deadlines are instants by a server's clock. */
function isOver(world: World, deadline: number | null): boolean {
  if (deadline === null) return false;
  return world.controlNow() + SERVER_CLOCK_OFFSET_MS_MAX >= deadline;
}

function routersThatList(world: World, worker: Process): Process[] {
  const ledger = world.ledger(worker.machine.spec.project);
  return world.machines
    .flatMap((machine) => [...machine.processes.values()])
    .filter((router) => {
      if (router.smg === null || router.end !== null || router.service !== worker.service) return false;
      const replica = ledger.replica(router.replica);
      if (!replica || replica.status === "lost") return false;
      if (ledger.notWaitedFor.get(worker.replica)?.has(router.replica)) return false;
      const { smg } = router;
      return smg.live().some(({ url }) => !smg.isLate(url) && world.reach(router.machine, url) === worker);
    });
}
