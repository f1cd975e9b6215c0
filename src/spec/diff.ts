import type { EnvSpec, GroupSpec, Range, ServiceSpec } from "./types.ts";

/** One changed field, for people: `from` and `to` are short texts. */
interface SpecChange {
  /** e.g. `port`, `env.MODEL_ID`, `groups.decode.count`; groups go by name. */
  path: string;
  from: string;
  to: string;
}

/** Characters of a value that a change shows. */
const MAX_SHOWN_CHARS = 60;

/** How much of what is the same stands before the first difference of two long texts. */
const CONTEXT_CHARS = 15;

const ABSENT = "(none)";

/**
 * What changes from one spec to the next, one entry for each changed field. The order of groups means nothing. Values of
 * `env` are not shown: one of them may be a key.
 */
export function diffSpecs(a: ServiceSpec, b: ServiceSpec): SpecChange[] {
  const { groups: groupsA, ...fieldsA } = a;
  const { groups: groupsB, ...fieldsB } = b;
  return [...diffFields("", fieldsA, fieldsB), ...diffGroups(groupsA, groupsB)];
}

function diffGroups(a: readonly GroupSpec[], b: readonly GroupSpec[]): SpecChange[] {
  const before = new Map(a.map((group) => [group.name, group]));
  const after = new Map(b.map((group) => [group.name, group]));
  const names = unionOfKeys(before, after);
  const ofAll = names.map((name) => {
    const [old, next] = [before.get(name), after.get(name)];
    return old && next ? diffCommon(old, next) : [];
  });
  const [first = []] = ofAll;
  // What changes alike in every group was most likely written once, for all of them.
  const shared = first.filter((change) => ofAll.every((changes) => changes.some((other) => isSame(other, change))));
  const ofGroups = names.flatMap((name, index) => {
    const path = `groups.${name}`;
    const [old, next] = [before.get(name), after.get(name)];
    if (old === undefined) return [{ path, from: ABSENT, to: `${showCount(next!.count)} replicas` }];
    if (next === undefined) return [{ path, from: `${showCount(old.count)} replicas`, to: ABSENT }];
    const own = ofAll[index]!.filter((change) => !shared.some((other) => isSame(other, change)));
    return [...own.map((change) => ({ ...change, path: `${path}.${change.path}` })), ...diffGroup(path, old, next)];
  });
  return [...shared, ...ofGroups];
}

/** The fields that a service may say for all of its groups at once. */
function diffCommon(a: GroupSpec, b: GroupSpec): SpecChange[] {
  const pick = ({ port, probes, volumes, fleets }: GroupSpec) => ({ port, probes, volumes, fleets });
  return [...diffFields("", pick(a), pick(b)), ...diffEnv(a.env, b.env)];
}

function isSame(a: SpecChange, b: SpecChange): boolean {
  return a.path === b.path && a.from === b.from && a.to === b.to;
}

function diffGroup(path: string, a: GroupSpec, b: GroupSpec): SpecChange[] {
  const { count: countA, commands: commandsA, resources: resourcesA, ...restA } = a;
  const { count: countB, commands: commandsB, resources: resourcesB, ...restB } = b;
  const fieldsA = withoutCommon(restA);
  const fieldsB = withoutCommon(restB);
  return [
    ...diffField(`${path}.count`, showCount(countA), showCount(countB)),
    ...diffFields(`${path}.`, fieldsA, fieldsB),
    ...diffFields(`${path}.resources.`, resourcesA, resourcesB),
    ...diffFields(`${path}.commands`, commandsA, commandsB),
  ];
}

function withoutCommon<T extends Pick<GroupSpec, "port" | "probes" | "volumes" | "fleets" | "env">>(group: T) {
  const { port: _port, probes: _probes, volumes: _volumes, fleets: _fleets, env: _env, ...rest } = group;
  return rest;
}

/** The fields of two objects of one shape, or the items of two lists. */
function diffFields(prefix: string, a: object, b: object): SpecChange[] {
  const before = new Map(Object.entries(a));
  const after = new Map(Object.entries(b));
  return unionOfKeys(before, after).flatMap((key) => {
    const path = Array.isArray(a) ? `${prefix}[${key}]` : `${prefix}${key}`;
    return diffField(path, show(before.get(key)), show(after.get(key)));
  });
}

function diffField(path: string, from: string, to: string): SpecChange[] {
  return from === to ? [] : [{ path, ...shorten(from, to) }];
}

function diffEnv(a: EnvSpec, b: EnvSpec): SpecChange[] {
  const before = new Map(Object.entries(a));
  const after = new Map(Object.entries(b));
  return unionOfKeys(before, after).flatMap((name) => {
    const [old, next] = [before.get(name), after.get(name)];
    if (old === next) return [];
    const bothLiteral = typeof old === "string" && typeof next === "string";
    return [{ path: `env.${name}`, from: showEnv(old), to: bothLiteral ? "(another value)" : showEnv(next) }];
  });
}

function showEnv(value: string | null | undefined): string {
  if (value === undefined) return ABSENT;
  return value === null ? "(passed on)" : "(a value)";
}

function showCount({ min, max }: Range): string {
  return min === max ? String(min) : `${min}..${max ?? ""}`;
}

/** A value as text, the same for the same value whatever the order of its keys. */
function show(value: unknown): string {
  if (value === null || value === undefined) return ABSENT;
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** Cuts two different texts so that the place where they begin to differ stays in sight. */
function shorten(from: string, to: string): { from: string; to: string } {
  let same = 0;
  while (same < from.length && from[same] === to[same]) same++;
  const start = Math.max(from.length, to.length) <= MAX_SHOWN_CHARS ? 0 : Math.max(0, same - CONTEXT_CHARS);
  return { from: cut(from, start), to: cut(to, start) };
}

function cut(text: string, start: number): string {
  const end = start + MAX_SHOWN_CHARS;
  return `${start > 0 ? "..." : ""}${text.slice(start, end)}${end < text.length ? "..." : ""}`
    .replace(/\s+/g, " ")
    .trim();
}

function unionOfKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])];
}
