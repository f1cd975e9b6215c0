import type { JobMemory, Memory, ReachMemory, RouterMemory, RunMemory } from "./types.ts";

/**
 * A copy of a memory that may be changed without changing the original; what is `readonly` in a memory is shared. An
 * agent makes one with every decision, so each part is copied by name: a copy of any JSON, which has to look at what it
 * finds, takes four times as long.
 */
export function copyMemory({ jobs, reach }: Memory): Memory {
  return { jobs: copyEach(jobs, copyJob), reach: copyEach(reach, copyReach) };
}

function copyJob(job: JobMemory): JobMemory {
  return { ...job, run: job.run && copyRun(job.run), router: job.router && copyRouter(job.router) };
}

function copyRun(run: RunMemory): RunMemory {
  return {
    ...run,
    checks: copyEach(run.checks, (check) => ({ ...check })),
    identify: { ...run.identify },
    idle: { ...run.idle },
  };
}

function copyRouter(router: RouterMemory): RouterMemory {
  return {
    ...router,
    removed: [...router.removed],
    offered: copyEach(router.offered, (offer) => ({ ...offer })),
    registered: { ...router.registered },
    replicas: { ...router.replicas },
  };
}

function copyReach(reach: ReachMemory): ReachMemory {
  return { ...reach, hearing: { ...reach.hearing } };
}

function copyEach<T>(values: Record<string, T>, copyOne: (value: T) => T): Record<string, T> {
  const copy = { ...values };
  for (const key of Object.keys(copy)) copy[key] = copyOne(copy[key] as T);
  return copy;
}
