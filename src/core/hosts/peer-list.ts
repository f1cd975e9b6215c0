import { PEER_PORTS_MAX, PEERS_MAX, type PeerList, type PeersReport } from "../../wire/index.ts";
import type { ProjectState, Table } from "../project-state.ts";
import { currentRevision, dialsIn, revisionGroups, revisionOf } from "../services/revision.ts";
import type { HostEntity, JobEntity, RevisionEntity } from "../state.ts";

/** How often a host is tried while all is well: a firewall that is closed while a service runs is seen within minutes. */
const EVERY_MS = 60_000;

/** The same where no service runs: once after a host has joined, and seldom after that. */
const EVERY_IDLE_MS = 3_600_000;

/** How long a list stands in a fleet that is larger than one: six hundred hosts have tried each other in six hours. */
const ROUND_MS = 600_000;

/** The same where it names all: a host that is told of no change learns so of hosts that joined since. */
const ROUND_WHOLE_MS = 3_600_000;

/** Hosts with which a host shares a service, and hosts that it does not reach: in every round, this many of each. */
const MATES_MAX = PEERS_MAX / 4;
const UNREACHED_MAX = PEERS_MAX / 4;

/** By how many hosts the rest of a list moves on with each round: what is left of it at least. */
const STRIDE = PEERS_MAX - MATES_MAX - UNREACHED_MAX;

/** Jobs of a service that are looked at for mates; of more, the rounds tell. */
const JOBS_LOOKED_AT_MAX = 64;

/**
 * Hosts of a fleet that are looked at for a list. Each of thousands that come back asks for one while most of the others
 * are not connected yet; its list is short then, and whole when it syncs again.
 */
const LOOKED_AT_MAX = 8 * PEERS_MAX;

/** What is tried where no service says which ports matter: the one that examples serve on. */
const PORT_WITHOUT_SERVICES = 8_000;

/**
 * The hosts that a host shall try, of its own fleet alone: all, or in a large fleet those with which it shares a service,
 * those that it does not reach, and a part of the others that is another one in each round. The same state and report
 * give the same list, to the byte. Hosts that are not connected are left out: that they are gone is known already.
 *
 * @param said what the host reported last of those it tried
 */
export function peersFor(state: ProjectState, host: HostEntity, said: PeersReport): PeerList {
  const isPeer = (id: string) => {
    const other = state.tables.host.byId.get(id);
    return other?.fleet === host.fleet && state.present.has(id) && isElsewhere(other, host);
  };
  const ring = ringOf(state, host.fleet);
  const others = ring.length - 1;
  const isWhole = others <= PEERS_MAX;
  const chosen = new Set<string>();
  if (!isWhole) {
    addMates(state, host, isPeer, chosen);
    const unreached = said.unreached.map((peer) => peer.host).filter(isPeer);
    for (const id of unreached.slice(0, UNREACHED_MAX)) chosen.add(id);
  }
  const first = isWhole ? 0 : ring.indexOf(host.id) + 1 + said.round * STRIDE;
  for (let i = 0; i < Math.min(ring.length, LOOKED_AT_MAX) && chosen.size < PEERS_MAX; i += 1) {
    const id = ring[(first + i) % ring.length] as string;
    if (id !== host.id && isPeer(id)) chosen.add(id);
  }
  const { ports, isIdle } = portsOf(state);
  const hosts = [...chosen].sort().map((id) => ({
    host: id,
    address: (state.tables.host.byId.get(id) as HostEntity).inventory.address,
    ports: [...new Set([...state.tables.job.made("host", id, portsOn, state), ...ports])].slice(0, PEER_PORTS_MAX),
  }));
  const content = {
    hosts,
    everyMs: isIdle ? EVERY_IDLE_MS : EVERY_MS,
    roundMs: isWhole ? ROUND_WHOLE_MS : ROUND_MS,
  };
  return { tag: tagOf(JSON.stringify(content)), ...content };
}

/** On another machine, as far as addresses tell: agents on one machine have one, or each its own loopback. */
function isElsewhere({ inventory: { address } }: HostEntity, { inventory }: HostEntity): boolean {
  return address !== inventory.address && address !== "::1" && address !== "localhost" && !address.startsWith("127.");
}

/** Adds hosts on which services run that run here too: of each service in turn, in the order of their ids. */
function addMates(state: ProjectState, host: HostEntity, isPeer: (id: string) => boolean, chosen: Set<string>): void {
  const { job: jobs } = state.tables;
  for (const service of jobs.made("host", host.id, servicesOf, jobs)) {
    for (const id of jobs.made("service", service, hostsOf, jobs)) {
      if (chosen.size === MATES_MAX) return;
      if (id !== host.id && isPeer(id)) chosen.add(id);
    }
  }
}

/** Services of which jobs are. */
function servicesOf(ids: ReadonlySet<string>, jobs: Table<JobEntity>): string[] {
  return [...new Set([...ids].map((id) => (jobs.byId.get(id) as JobEntity).service))].sort();
}

/** Hosts on which jobs run, of a bounded number of them. */
function hostsOf(ids: ReadonlySet<string>, jobs: Table<JobEntity>): string[] {
  const hosts = new Set<string>();
  let looked = 0;
  for (const id of ids) {
    if (looked === JOBS_LOOKED_AT_MAX) break;
    looked += 1;
    hosts.add((jobs.byId.get(id) as JobEntity).host);
  }
  return [...hosts].sort();
}

/** Ports of jobs of one host that others of their services connect to. */
function portsOn(ids: ReadonlySet<string>, state: ProjectState): number[] {
  const { job: jobs, replica: replicas } = state.tables;
  const ports = [...ids].flatMap((id) => {
    const job = jobs.byId.get(id) as JobEntity;
    const replica = replicas.byId.get(job.replica);
    return replica ? portsOfJob(revisionOf(state, replica), job) : [];
  });
  return ports.sort((a, b) => a - b);
}

function portsOfJob(revision: RevisionEntity, job: JobEntity): number[] {
  const role = revisionGroups(revision).get(job.group)?.resolved.role;
  const dials = dialsIn(revision).filter(({ to }) => to === role);
  return job.ports.filter(({ name }) => dials.some((dial) => dial.port === name)).map(({ port }) => port);
}

interface Ports {
  /** On which services would listen, wherever they were placed. */
  ports: number[];
  /** No service runs. */
  isIdle: boolean;
}

/** Made of a table once for each time that it changes, since every sync asks. */
const portsKnown = new WeakMap<ProjectState, { changes: number; ports: Ports }>();

function portsOf(state: ProjectState): Ports {
  const { service: services } = state.tables;
  const known = portsKnown.get(state);
  if (known?.changes === services.changes) return known.ports;
  const running = [...services.byId.values()].filter(({ status }) => status === "running");
  const claimed = running.flatMap((service) => {
    const revision = currentRevision(state, service);
    const groups = [...revisionGroups(revision).values()].map(({ resolved }) => resolved);
    return dialsIn(revision).flatMap((dial) =>
      groups
        .filter(({ role }) => role === dial.to)
        .flatMap(({ ports }) => ports.filter(({ name }) => name === dial.port).map(({ port }) => port)),
    );
  });
  const distinct = [...new Set(claimed)].sort((a, b) => a - b);
  const ports = {
    ports: (distinct.length === 0 ? [PORT_WITHOUT_SERVICES] : distinct).slice(0, PEER_PORTS_MAX),
    isIdle: running.length === 0,
  };
  portsKnown.set(state, { changes: services.changes, ports });
  return ports;
}

const ringsKnown = new WeakMap<ProjectState, { comings: number; rings: Map<string, string[]> }>();

/** The hosts of a fleet in the order of their ids. */
function ringOf(state: ProjectState, fleet: string): string[] {
  const { host: hosts } = state.tables;
  let known = ringsKnown.get(state);
  if (known?.comings !== hosts.comings) {
    known = { comings: hosts.comings, rings: new Map() };
    ringsKnown.set(state, known);
  }
  let ring = known.rings.get(fleet);
  if (!ring) {
    ring = [...hosts.ids("fleet", fleet)].sort();
    known.rings.set(fleet, ring);
  }
  return ring;
}

/** FNV-1a twice over, 64 bits: equal lists have equal tags, and it costs microseconds where a list is made for each sync. */
function tagOf(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i += 1) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
