import { type Changes, type EntityOf, emptyTables, type ProjectState, type Table } from "./project-state.ts";
import type { Entity, EntityKind, JournalEvent } from "./state.ts";

/**
 * A state with changes on top that are not committed yet. Decisions read and write here; the state below stays as it
 * is, so that whoever reads it meanwhile sees only what is committed.
 */
export class Draft {
  readonly state: ProjectState;
  /** The version that the changes will have when committed. */
  readonly version: number;
  readonly events: JournalEvent[] = [];
  private readonly puts = emptyTables();
  private readonly deletes = new Map<EntityKind, Set<string>>();

  constructor(state: ProjectState) {
    this.state = state;
    this.version = state.version + 1;
  }

  get<K extends EntityKind>(kind: K, id: string): EntityOf[K] | undefined {
    const put = this.putsOf(kind).byId.get(id);
    if (put) return put;
    if (this.isDeleted(kind, id)) return undefined;
    return this.baseOf(kind).byId.get(id);
  }

  /** Like `get`, for what the state's own references promise to exist. */
  must<K extends EntityKind>(kind: K, id: string): EntityOf[K] {
    const entity = this.get(kind, id);
    if (!entity) throw new Error(`state is broken: no ${kind} ${id} in project ${this.state.project}`);
    return entity;
  }

  put(entity: Entity): void {
    (this.puts[entity.kind] as Table<Entity>).put(entity);
    this.deletes.get(entity.kind)?.delete(entity.id);
  }

  delete(kind: EntityKind, id: string): void {
    this.puts[kind].delete(id);
    if (!this.state.tables[kind].byId.has(id)) return;
    const deleted = this.deletes.get(kind);
    if (deleted) deleted.add(id);
    else this.deletes.set(kind, new Set([id]));
  }

  /** Whether it was there and one of the changes takes it away. */
  isDeleted(kind: EntityKind, id: string): boolean {
    return this.deletes.get(kind)?.has(id) ?? false;
  }

  /** Entities of a kind with this key in an index of its table, sorted by id so that decisions do not depend on order. */
  by<K extends EntityKind>(kind: K, index: string, key: string): EntityOf[K][] {
    return [...this.each(kind, index, key)].sort(byId);
  }

  /** The same in no particular order: for what is only counted, of thousands. */
  *each<K extends EntityKind>(kind: K, index: string, key: string): Generator<EntityOf[K]> {
    const base = this.baseOf(kind);
    const puts = this.putsOf(kind);
    for (const id of base.ids(index, key)) {
      if (!this.isHidden(kind, id)) yield base.byId.get(id) as EntityOf[K];
    }
    for (const id of puts.ids(index, key)) yield puts.byId.get(id) as EntityOf[K];
  }

  /** Whether there is one. */
  hasAny(kind: EntityKind, index: string, key: string): boolean {
    return !this.each(kind, index, key).next().done;
  }

  /** All entities of a kind, sorted by id. */
  all<K extends EntityKind>(kind: K): EntityOf[K][] {
    const found: EntityOf[K][] = [];
    for (const [id, entity] of this.baseOf(kind).byId) if (!this.isHidden(kind, id)) found.push(entity);
    for (const entity of this.putsOf(kind).byId.values()) found.push(entity);
    return found.sort(byId);
  }

  /** How many entities of a kind there are. */
  count(kind: EntityKind): number {
    let added = 0;
    for (const id of this.puts[kind].byId.keys()) if (!this.state.tables[kind].byId.has(id)) added += 1;
    return this.state.tables[kind].byId.size + added - (this.deletes.get(kind)?.size ?? 0);
  }

  event(event: JournalEvent): void {
    this.events.push(event);
  }

  changes(): Changes {
    const changes: Changes = { puts: [], deletes: [] };
    for (const table of Object.values(this.puts)) {
      for (const entity of (table as Table<Entity>).byId.values()) changes.puts.push(entity);
    }
    for (const [kind, ids] of this.deletes) for (const id of ids) changes.deletes.push({ kind, id });
    return changes;
  }

  /** Put again or deleted here, so that what the state below has is not to be seen. */
  private isHidden(kind: EntityKind, id: string): boolean {
    return this.puts[kind].byId.has(id) || this.isDeleted(kind, id);
  }

  private baseOf<K extends EntityKind>(kind: K): Table<EntityOf[K]> {
    return this.state.tables[kind] as Table<EntityOf[K]>;
  }

  private putsOf<K extends EntityKind>(kind: K): Table<EntityOf[K]> {
    return this.puts[kind] as unknown as Table<EntityOf[K]>;
  }
}

/** The order in which things are looked at, so that a decision does not depend on how they came to be known. */
export function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
