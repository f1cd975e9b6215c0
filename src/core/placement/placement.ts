import type { GroupSpec } from "../../spec/types.ts";
import type { Draft } from "../draft.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";
import { dialsIn, type RevisionGroup } from "../services/revision.ts";
import type { HoldEntity, HostEntity, JobEntity, RevisionEntity } from "../state.ts";
import { type Fit, fits, type HostUse, type JobPromise, take } from "./fit.ts";
import { Heap } from "./heap.ts";
import { type Home, Homes } from "./homes.ts";
import { whyOfNoUse } from "./mates.ts";
import { brokenPairs, whyOutOfReach } from "./reach.ts";

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
  /** Of the group that was placed last: those of a service are placed one after another. */
  private candidates: Candidates | null = null;
  private known: Homes | null = null;
  private hosts: HostEntity[] | null = null;
  private fleetsWithContainers: Set<string> | null = null;
  private brokenWith: Map<string, number> | null = null;

  constructor(draft: Draft, groupOf: (job: JobEntity) => GroupSpec) {
    this.draft = draft;
    this.groupOf = groupOf;
  }

  /**
   * The host for one more job of a group, of those from where it reaches the others of its service: the one with the
   * fewest jobs of this group, so that one host's loss costs the least; then the one with the fewest free accelerators,
   * so that large groups find whole hosts, and that what needs none keeps off those that have some; then the one with
   * the fewest jobs; then by id. What exchanges its cache goes to a fleet that shares an interconnect before any other.
   * @param key names the group at its revision; equal keys must mean equal requirements
   * @param avoid homes (`Homes`) where nothing that exchanges its cache shall go
   */
  place(key: string, revision: RevisionEntity, group: RevisionGroup, avoid = NOWHERE): Placed | NoFit {
    const candidates = this.candidatesFor(key, revision, group, avoid);
    for (let best = candidates.heap.pop(); best; best = candidates.heap.pop()) {
      const { host } = best;
      const fit = this.fitOn(host, revision, group, candidates.home);
      if (fit.ok) {
        candidates.taken = best;
        return { host, promise: fit.promise };
      }
      // What is promised while a group is placed is not given back, so this host is out for this group.
      candidates.reasons.push({ host: host.name, reason: fit.reason });
    }
    return { reasons: candidates.reasons };
  }

  /** Whether it fits there by what the host has, and can work with the others of its service from there. */
  private fitOn(host: HostEntity, revision: RevisionEntity, group: RevisionGroup, home: Home | null): Fit {
    const fit = fits(group, host, this.draft.get("fleet", host.fleet), this.useOf(host));
    if (!fit.ok) return fit;
    const apart = home?.whyApart(host) ?? null;
    if (apart !== null) return { ok: false, reason: apart };
    if (this.brokenWithOf(host) === 0) return fit;
    const broken = whyOfNoUse(this.draft, revision, group, host, fit.promise.ports);
    return broken ? { ok: false, reason: whyOutOfReach(broken, host) } : fit;
  }

  /** Must be called with the job made from an answer of `place`, before the next one is placed. */
  placed(group: GroupSpec, job: JobEntity, host: HostEntity): void {
    take(this.useOf(host), job, group);
    const { candidates } = this;
    if (!candidates?.taken) return;
    candidates.home?.add(host);
    candidates.heap.push(this.candidate(group, host, { ...candidates.taken, same: candidates.taken.same + 1 }));
    candidates.taken = null;
  }

  /** Forgets what is known of a host, because a job there is gone, or has come without being placed here. */
  released(host: string): void {
    this.uses.delete(host);
    this.candidates = null;
  }

  /** Forgets what is known of all hosts, because ports were given back: of one address, which any of them may have. */
  portsReleased(): void {
    this.uses.clear();
    this.candidates = null;
  }

  /** Which hosts are at home together. */
  get homes(): Homes {
    this.known ??= new Homes(this.draft);
    return this.known;
  }

  /** Every host in the order in which it is tried. Whether it fits is looked at when its turn comes. */
  private candidatesFor(
    key: string,
    revision: RevisionEntity,
    { spec, resolved }: RevisionGroup,
    avoid: ReadonlySet<string>,
  ): Candidates {
    if (this.candidates?.key === key) return this.candidates;
    const home = this.homes.of(revision, resolved.role, avoid);
    const candidates: Candidates = { key, heap: new Heap(isBetter), home, taken: null, reasons: [] };
    const same = new Map<string, number>();
    for (const job of this.draft.by("job", "service", revision.service)) {
      if (job.group === spec.name) same.set(job.host, (same.get(job.host) ?? 0) + 1);
    }
    this.hosts ??= this.draft.all("host");
    const isAlone = dialsIn(revision).length === 0;
    for (const host of this.hosts) {
      const isSuspect = !isAlone && this.brokenWithOf(host) >= SUSPECT_FROM;
      const isOutside = home !== null && !this.homes.isCluster(host);
      candidates.heap.push(this.candidate(spec, host, { isSuspect, isOutside, same: same.get(host.id) ?? 0 }));
    }
    this.candidates = candidates;
    return candidates;
  }

  private candidate(
    group: GroupSpec,
    host: HostEntity,
    { isSuspect, isOutside, same }: Pick<Candidate, "isSuspect" | "isOutside" | "same">,
  ): Candidate {
    const use = this.useOf(host);
    const { length: all } = host.inventory.accelerators;
    const free = all - use.accelerators.size;
    return {
      host,
      isSuspect,
      isOutside,
      same,
      worth: worthOf(group.resources.gpu.count.min, all, free),
      jobs: use.jobs,
    };
  }

  /** With how many others a host is known not to be connected, in one direction or both. */
  private brokenWithOf({ id }: HostEntity): number {
    if (!this.brokenWith) {
      this.brokenWith = new Map();
      for (const [host, pairs] of brokenPairs(this.draft.state)) {
        const others = new Set(pairs.map(({ from, to }) => (from.id === host ? to.id : from.id)));
        this.brokenWith.set(host, others.size);
      }
    }
    return this.brokenWith.get(id) ?? 0;
  }

  /** Fleets of which a host ever offered containers. */
  private haveContainers(): Set<string> {
    this.hosts ??= this.draft.all("host");
    this.fleetsWithContainers ??= new Set(
      this.hosts.filter(({ offeredContainers }) => offeredContainers).map(({ fleet }) => fleet),
    );
    return this.fleetsWithContainers;
  }

  private useOf(host: HostEntity): HostUse {
    let use = this.uses.get(host.id);
    if (use) return use;
    // Until its first report it is not known which ports something else has on it.
    const observed = this.draft.state.observed.get(host.id);
    const present = this.draft.state.present.has(host.id) && observed !== undefined;
    const fleetHasContainers = this.haveContainers().has(host.fleet);
    use = { accelerators: new Set(), ports: new Map(), fleetHasContainers, present, jobs: 0, cpus: 0, memoryGib: 0 };
    for (const port of observed?.report.busyPorts ?? []) {
      use.ports.set(port, "something else on the host");
    }
    for (const { ports, router } of this.heldOn(host)) {
      for (const port of ports) use.ports.set(port, `router ${router}, which may still send to it`);
    }
    for (const job of this.draft.by("job", "host", host.id)) take(use, job, this.groupOf(job));
    this.uses.set(host.id, use);
    return use;
  }

  /** Ports that were another's there, or at the same address when another host had it. */
  private heldOn({ id, inventory }: HostEntity): HoldEntity[] {
    return [...this.draft.by("hold", "host", id), ...this.draft.by("hold", "address", inventory.address)];
  }
}

/** Equal reasons together, the commonest first: what a person must mend comes once, not once for each host. */
export function groupReasons({ reasons }: NoFit): { reason: string; hosts: string[] }[] {
  const hosts = new Map<string, string[]>();
  for (const { host, reason } of reasons) {
    const known = hosts.get(reason);
    if (known) known.push(host);
    else hosts.set(reason, [host]);
  }
  return [...hosts]
    .map(([reason, names]) => ({ reason, hosts: names.sort() }))
    .sort((a, b) => b.hosts.length - a.hosts.length);
}

/** The reasons as one line for people. */
export function describeNoFit(noFit: NoFit): string {
  if (noFit.reasons.length === 0) return "no host has joined yet";
  const parts = groupReasons(noFit).map(
    ({ reason, hosts }) => `${hosts.length === 1 ? `host ${hosts[0]}` : `${hosts.length} hosts`}: ${reason}`,
  );
  return `fits on no host: ${parts.join("; ")}`.slice(0, REASON_LENGTH_MAX);
}

/**
 * Of two hosts that do not reach each other either may be the reason; one that has this trouble with more than one other
 * most likely is.
 */
const SUSPECT_FROM = 2;

interface Candidate {
  host: HostEntity;
  /** It is known not to be connected with several others, and the group needs such connections. */
  isSuspect: boolean;
  /** The group exchanges its cache, there are fleets for that, and the host is in none of them. */
  isOutside: boolean;
  /** Jobs of the group there. */
  same: number;
  /** What others could do with the place: see `worthOf`. */
  worth: number;
  /** Jobs there. */
  jobs: number;
}

interface Candidates {
  key: string;
  heap: Heap<Candidate>;
  /** Where those are that the group exchanges its cache with; null where it may go anywhere. */
  home: Home | null;
  /** The one that `place` answered with last. */
  taken: Candidate | null;
  reasons: NoFit["reasons"];
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if ((a.worth === Number.POSITIVE_INFINITY) !== (b.worth === Number.POSITIVE_INFINITY)) return a.worth < b.worth;
  if (a.isSuspect !== b.isSuspect) return b.isSuspect;
  if (a.isOutside !== b.isOutside) return b.isOutside;
  if (a.same !== b.same) return a.same < b.same;
  if (a.worth !== b.worth) return a.worth < b.worth;
  if (a.jobs !== b.jobs) return a.jobs < b.jobs;
  return a.host.id < b.host.id;
}

/**
 * How much a place is worth to others, by its host's accelerators: the fewer are free, the less. To a group that needs
 * none a host without any is the best, since what ends on another gives room back that only accelerators' jobs want.
 * A host with too few is tried last, only to learn the reason, when nothing else fits.
 */
function worthOf(wanted: number, all: number, free: number): number {
  if (wanted === 0) return all === 0 ? 0 : 1 + free;
  return free >= wanted ? free : Number.POSITIVE_INFINITY;
}

const NOWHERE: ReadonlySet<string> = new Set();
