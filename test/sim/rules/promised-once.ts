import type { CommitBatch } from "../../../src/store/types.ts";
import type { DesiredJob } from "../../../src/wire/index.ts";
import type { Ledger } from "../ledger.ts";
import type { Machine } from "../machine.ts";

/** No accelerator and no port of a host is promised to two jobs. */
export function promisedOnce(ledger: Ledger, batch: CommitBatch): string | null {
  const { job: jobs } = ledger.state.tables;
  const hosts = new Set<string>();
  for (const entity of batch.puts) if (entity.kind === "job") hosts.add(entity.host);
  for (const host of hosts) {
    const taken = new Map<string, string>();
    for (const id of jobs.ids("host", host)) {
      const job = jobs.byId.get(id)!;
      const promises = [
        ...job.accelerators.map((index) => `accelerator ${index}`),
        ...job.ports.map(({ port }) => `port ${port}`),
      ];
      for (const promise of promises) {
        const other = taken.get(promise);
        if (other) return `${promise} of ${host} is promised to ${other} and ${id}`;
        taken.set(promise, id);
      }
    }
  }
  return null;
}

/** What starts on a machine finds its accelerators and ports free: nothing that had them still runs. */
export function runsAlone(machine: Machine, job: DesiredJob): string | null {
  for (const other of machine.processes.values()) {
    if (other.end !== null || other.job === job.job) continue;
    const accelerator = other.accelerators.find((index) => job.accelerators.includes(index));
    if (accelerator !== undefined)
      return `${job.job} starts on accelerator ${accelerator} of ${machine.name}, where ${other.job} runs`;
    const port = other.ports.find((candidate) => job.ports.includes(candidate));
    if (port !== undefined) return `${job.job} starts on port ${port} of ${machine.name}, where ${other.job} listens`;
  }
  return null;
}
