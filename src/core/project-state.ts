import type { JobReport, Report, RouterReport } from "../wire/index.ts";
import { type AgentBuilds, NO_BUILDS } from "./hosts/agent-builds.ts";
import { dueKeyOf } from "./hosts/agent-updates.ts";
import { isDrained } from "./hosts/cordons.ts";
import { noteReturn } from "./hosts/returns.ts";
import type {
  Entity,
  EntityKind,
  FleetEntity,
  HoldEntity,
  HostEntity,
  JobEntity,
  Millis,
  ProjectEntity,
  ReplicaEntity,
  RevisionEntity,
  SecretEntity,
  ServiceEntity,
} from "./state.ts";

export interface EntityOf {
  service: ServiceEntity;
  revision: RevisionEntity;
  replica: ReplicaEntity;
  job: JobEntity;
  host: HostEntity;
  fleet: FleetEntity;
  hold: HoldEntity;
  secret: SecretEntity;
  project: ProjectEntity;
}

/** Entities of one kind with the look-ups that decisions need. */
export class Table<E extends { id: string }> {
  readonly byId = new Map<string, E>();
  /** Rises with every change: what was made of the table stands while this does. */
  changes = 0;
  /** Rises when an entity comes or goes: who is there stands while this does. */
  comings = 0;
  private readonly indices = new Map<string, { key: (entity: E) => string; groups: Map<string, Group> }>();

  constructor(indices: Record<string, (entity: E) => string> = {}) {
    for (const [name, key] of Object.entries(indices)) this.indices.set(name, { key, groups: new Map() });
  }

  /** Ids of the entities with this key, in no particular order. */
  ids(index: string, key: string): ReadonlySet<string> {
    return this.group(index, key)?.ids ?? NO_IDS;
  }

  /**
   * What `make` makes of the entities with this key: made once, and again after one of them has changed, come or gone.
   * @param make always the same function, which looks at nothing that changes while they do not
   */
  made<V, C>(index: string, key: string, make: (ids: ReadonlySet<string>, context: C) => V, context: C): V {
    const group = this.group(index, key);
    if (!group) return make(NO_IDS, context);
    group.made ??= new Map();
    if (!group.made.has(make)) group.made.set(make, make(group.ids, context));
    return group.made.get(make) as V;
  }

  /** Puts an entity in the place of the one with its id, if there is one. */
  put(entity: E): void {
    const before = this.byId.get(entity.id);
    this.changes += 1;
    if (!before) this.comings += 1;
    this.byId.set(entity.id, entity);
    for (const { key, groups } of this.indices.values()) {
      const value = key(entity);
      const was = before ? key(before) : value;
      if (was !== value) leave(groups, was, entity.id);
      const group = groups.get(value);
      if (group) {
        group.ids.add(entity.id);
        group.made = null;
      } else groups.set(value, { ids: new Set([entity.id]), made: null });
    }
  }

  delete(id: string): void {
    const entity = this.byId.get(id);
    if (!entity) return;
    this.changes += 1;
    this.comings += 1;
    this.byId.delete(id);
    for (const { key, groups } of this.indices.values()) leave(groups, key(entity), id);
  }

  private group(index: string, key: string): Group | undefined {
    return this.indices.get(index)?.groups.get(key);
  }
}

/** Entities that share a key. */
interface Group {
  ids: Set<string>;
  /** What was made of them, by what made it. */
  made: Map<unknown, unknown> | null;
}

function leave(groups: Map<string, Group>, key: string, id: string): void {
  const group = groups.get(key);
  if (!group) return;
  group.ids.delete(id);
  group.made = null;
  if (group.ids.size === 0) groups.delete(key);
}

/** A set of ids that counts its changes, as a table does. */
export class CountedSet extends Set<string> {
  changes = 0;

  override add(id: string): this {
    if (!this.has(id)) this.changes += 1;
    return super.add(id);
  }

  override delete(id: string): boolean {
    if (this.has(id)) this.changes += 1;
    return super.delete(id);
  }
}

const NO_IDS: ReadonlySet<string> = new Set();

/** A host that another one does not reach. */
export interface Unreached {
  address: string;
  ports: readonly number[];
  /** Not on any port that was tried. */
  whole: boolean;
  why: string;
  since: Millis;
}

/** What a host said last, by job. In memory only: the next report rebuilds it. */
export interface ObservedHost {
  report: Report;
  /** By host: those that it does not reach, with when this controller heard so first. */
  unreached: ReadonlyMap<string, Unreached>;
  jobs: Map<string, JobReport>;
  routers: Map<string, RouterReport>;
}

/** All of one project that a controller holds in memory: committed facts, and observed ones in `observed`. */
export interface ProjectState {
  readonly project: string;
  version: number;
  readonly tables: Tables;
  readonly observed: Map<string, ObservedHost>;
  /** Hosts whose link is up. In memory only. Absence proves nothing, but nothing new is placed there. */
  readonly present: CountedSet;
  /** When time alone can next change something about a service or a fleet, as the last step that looked at it found. */
  readonly due: Map<string, Millis>;
  /** When this controller began to listen to the project's hosts: of earlier silence it knows only what is committed. */
  readonly listeningSince: Millis;
  /**
   * Up to when all that hosts have sent was taken in, as the controller knew before the step: what came later may wait
   * to be read. Infinity: nothing waits. In memory only.
   */
  heardUpTo: Millis;
  /**
   * By fleet: when the last of those hosts came back that were cut off when this controller began to listen, or when most
   * of the fleet had been silent. In memory only.
   */
  readonly returnedAt: Map<string, Millis>;
  /** The builds of the agent that hosts can be given, as this process has them. */
  readonly agentBuilds: AgentBuilds;
  /**
   * By replica that is being unlisted: when this controller took that in. Until then whoever asked it for routes was
   * sent to the replica, however long the commit was on its way. In memory only, as are those who ask.
   */
  readonly unroutedAt: Map<string, Millis>;
}

export type Tables = { readonly [K in EntityKind]: Table<EntityOf[K]> };

export function emptyTables(): Tables {
  return {
    service: new Table(),
    revision: new Table({ service: (revision) => revision.service }),
    replica: new Table({
      service: (replica) => replica.service,
      waits: (replica) => String(replica.status === "pending"),
    }),
    job: new Table({ service: (job) => job.service, host: (job) => job.host, replica: (job) => job.replica }),
    host: new Table({ fleet: (host) => host.fleet, drained: (host) => String(isDrained(host)) }),
    fleet: new Table(),
    hold: new Table({
      service: (hold) => hold.service,
      host: (hold) => hold.host,
      address: (hold) => hold.address,
    }),
    secret: new Table(),
    project: new Table(),
  };
}

/** What a project begins with beside its fleets. */
export const NEW_PROJECT: ProjectEntity = { kind: "project", id: "project", nextSerial: 1, agentBuild: null };

/** A state from what the store loaded. Nothing is observed yet, and everything is due. */
export function projectState(
  project: string,
  version: number,
  entities: Entity[],
  listeningSince: Millis,
  agentBuilds: AgentBuilds = NO_BUILDS,
): ProjectState {
  const state: ProjectState = {
    project,
    version,
    tables: emptyTables(),
    observed: new Map(),
    present: new CountedSet(),
    due: new Map(),
    listeningSince,
    heardUpTo: Number.POSITIVE_INFINITY,
    returnedAt: new Map(),
    agentBuilds,
    unroutedAt: new Map(),
  };
  for (const entity of entities) putEntity(state, entity);
  for (const id of state.tables.service.byId.keys()) state.due.set(id, 0);
  for (const { fleet, update } of state.tables.host.byId.values()) {
    // Another controller may have known when the next is to be told.
    if (update !== null) state.due.set(dueKeyOf(fleet), 0);
  }
  return state;
}

export interface Changes {
  puts: Entity[];
  deletes: { kind: EntityKind; id: string }[];
}

/** Takes a committed step into the state. @param now which may be long after the step */
export function takeChanges(
  state: ProjectState,
  version: number,
  changes: Changes,
  due: Map<string, Millis | null>,
  now: Millis,
): void {
  for (const { kind, id } of changes.deletes) {
    state.tables[kind].delete(id);
    if (kind === "replica") state.unroutedAt.delete(id);
  }
  for (const entity of changes.puts) {
    putEntity(state, entity);
    if (entity.kind === "replica") noteRoutes(state, entity, now);
  }
  state.version = version;
  takeDue(state, due);
}

/** Takes over from the state as it was read before what no database knows. */
export function takeOver(state: ProjectState, before: ProjectState | null, now: Millis): void {
  for (const [host, observed] of before?.observed ?? []) state.observed.set(host, observed);
  for (const [fleet, at] of before?.returnedAt ?? []) state.returnedAt.set(fleet, at);
  for (const replica of state.tables.replica.byId.values()) {
    noteRoutes(state, replica, before?.unroutedAt.get(replica.id) ?? now);
  }
}

function noteRoutes(state: ProjectState, { id, status }: ReplicaEntity, now: Millis): void {
  if (status !== "unlisting") state.unroutedAt.delete(id);
  else if (!state.unroutedAt.has(id)) state.unroutedAt.set(id, now);
}

/** Takes over what a step found about time; needed also when it changed nothing else. */
export function takeDue(state: ProjectState, due: Map<string, Millis | null>): void {
  for (const [service, at] of due) {
    if (at === null) state.due.delete(service);
    else state.due.set(service, at);
  }
}

const ALL_REACHED: ReadonlyMap<string, Unreached> = new Map();

/** Keeps what a host reported. The caller has checked that the report is newer than the last one. */
export function observe(state: ProjectState, host: string, report: Report, now: Millis): ObservedHost {
  noteReturn(state, host, now);
  const before = state.observed.get(host)?.unreached;
  const unreached = (report.peers?.unreached ?? []).map((peer): [string, Unreached] => {
    const known = before?.get(peer.host);
    return [peer.host, { ...peer, since: known?.address === peer.address ? known.since : now }];
  });
  const observed = {
    report,
    unreached: unreached.length === 0 ? ALL_REACHED : new Map(unreached),
    jobs: new Map(report.jobs.map((job) => [job.job, job])),
    routers: new Map(report.routers.map((router) => [router.job, router])),
  };
  state.observed.set(host, observed);
  return observed;
}

function putEntity(state: ProjectState, entity: Entity): void {
  (state.tables[entity.kind] as Table<Entity>).put(entity);
}
