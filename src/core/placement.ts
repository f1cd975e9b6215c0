import type { ResolvedGroup } from "../adapters/types.ts";
import type { GroupSpec } from "../spec/types.ts";
import type { Draft } from "./draft.ts";
import { fits, type HostUse, type JobPromise, take } from "./fit.ts";
import { REASON_LENGTH_MAX } from "./limits.ts";
import type { HostEntity, JobEntity } from "./state.ts";

export interface Placed {
  host: HostEntity;
  promise: JobPromise;
}

/** Why a group fits on none of the hosts. */
export interface NoFit {
  reasons: { host: string; reason: string }[];
}

/**
 * Finds hosts for jobs within one step. What hosts have promised is read once and kept up to date as jobs are placed,
 * so that placing many jobs costs little more than placing one.
 */
export class Placer {
  private readonly draft: Draft;
  private readonly groupOf: (job: JobEntity) => GroupSpec;
  private readonly uses = new Map<string, HostUse>();
  private readonly candidates = new Map<string, Candidates>();
  private hosts: HostEntity[] | null = null;

  constructor(draft: Draft, groupOf: (job: JobEntity) => GroupSpec) {
    this.draft = draft;
    this.groupOf = groupOf;
  }

  /**
   * The host for one more job of a group: the one with the fewest jobs of this group, so that one host's loss costs
   * the least; then the one with the fewest free accelerators, so that large groups find whole hosts; then by id.
   * @param key names the group at its revision; equal keys must mean equal requirements
   */
  place(key: string, service: string, group: GroupSpec, resolved: ResolvedGroup): Placed | NoFit {
    const candidates = this.candidatesFor(key, service, group, resolved);
    for (let best = candidates.heap.pop(); best; best = candidates.heap.pop()) {
      const fit = fits(group, resolved, best.host, this.draft.get("fleet", best.host.fleet), this.useOf(best.host));
      if (fit.ok) {
        candidates.taken = best;
        return { host: best.host, promise: fit.promise };
      }
      // What is promised within a step is never given back within it, so this host is out for this group.
      candidates.reasons.push({ host: best.host.name, reason: fit.reason });
    }
    return { reasons: candidates.reasons };
  }

  /** Must be called with the job made from an answer of `place`, before the next one is placed. */
  placed(key: string, group: GroupSpec, job: JobEntity, host: HostEntity): void {
    const use = this.useOf(host);
    take(use, job, group);
    const candidates = this.candidates.get(key);
    if (!candidates?.taken) return;
    candidates.heap.push({ host, same: candidates.taken.same + 1, free: freeAccelerators(host, use) });
    candidates.taken = null;
  }

  /** Forgets what is known of a host, because a job there is gone. */
  released(host: string): void {
    this.uses.delete(host);
    this.candidates.clear();
  }

  private candidatesFor(key: string, service: string, group: GroupSpec, resolved: ResolvedGroup): Candidates {
    let candidates = this.candidates.get(key);
    if (candidates) return candidates;
    candidates = { heap: new Heap(isBetter), taken: null, reasons: [] };
    this.hosts ??= this.draft.all("host");
    for (const host of this.hosts) {
      const fit = fits(group, resolved, host, this.draft.get("fleet", host.fleet), this.useOf(host));
      if (fit.ok) candidates.heap.push(this.candidate(service, group, host));
      else candidates.reasons.push({ host: host.name, reason: fit.reason });
    }
    this.candidates.set(key, candidates);
    return candidates;
  }

  private candidate(service: string, group: GroupSpec, host: HostEntity): Candidate {
    const jobs = this.draft.by("job", "host", host.id);
    const same = jobs.filter((job) => job.service === service && job.group === group.name).length;
    return { host, same, free: freeAccelerators(host, this.useOf(host)) };
  }

  private useOf(host: HostEntity): HostUse {
    let use = this.uses.get(host.id);
    if (use) return use;
    const present = this.draft.state.present.has(host.id);
    use = { accelerators: new Set(), ports: new Map(), present, cpus: 0, memoryGib: 0 };
    for (const port of this.draft.state.observed.get(host.id)?.report.busyPorts ?? []) {
      use.ports.set(port, "something else on the host");
    }
    for (const job of this.draft.by("job", "host", host.id)) take(use, job, this.groupOf(job));
    this.uses.set(host.id, use);
    return use;
  }
}

/** The reasons as one line for people, equal ones together, the commonest first. */
export function describeNoFit(noFit: NoFit): string {
  if (noFit.reasons.length === 0) return "no host has joined yet";
  const hosts = new Map<string, string[]>();
  for (const { host, reason } of noFit.reasons) hosts.set(reason, [...(hosts.get(reason) ?? []), host]);
  const parts = [...hosts]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([reason, names]) => `${names.length === 1 ? `host ${names[0]}` : `${names.length} hosts`}: ${reason}`);
  return `fits on no host: ${parts.join("; ")}`.slice(0, REASON_LENGTH_MAX);
}

interface Candidate {
  host: HostEntity;
  same: number;
  free: number;
}

interface Candidates {
  heap: Heap<Candidate>;
  /** The one that `place` answered with last. */
  taken: Candidate | null;
  reasons: NoFit["reasons"];
}

function freeAccelerators(host: HostEntity, use: HostUse): number {
  return host.inventory.accelerators.length - use.accelerators.size;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.same !== b.same) return a.same < b.same;
  if (a.free !== b.free) return a.free < b.free;
  return a.host.id < b.host.id;
}

/** A binary heap: the best element first. */
class Heap<T> {
  private readonly items: T[] = [];
  private readonly isBetter: (a: T, b: T) => boolean;

  constructor(isBetter: (a: T, b: T) => boolean) {
    this.isBetter = isBetter;
  }

  push(item: T): void {
    let index = this.items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBetter(item, this.items[parent] as T)) break;
      this.items[index] = this.items[parent] as T;
      index = parent;
    }
    this.items[index] = item;
  }

  pop(): T | undefined {
    const best = this.items[0];
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return best;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.items.length) break;
      if (child + 1 < this.items.length && this.isBetter(this.items[child + 1] as T, this.items[child] as T))
        child += 1;
      if (!this.isBetter(this.items[child] as T, last)) break;
      this.items[index] = this.items[child] as T;
      index = child;
    }
    this.items[index] = last;
    return best;
  }
}
