import { diffCommands } from "./line-diff.ts";
import {
  ABSENT,
  SHOWN_GROUP,
  SHOWN_PROFILE,
  SHOWN_RESOURCES,
  SHOWN_ROLLOUT,
  SHOWN_SCALING,
  SHOWN_SERVICE,
  type Shown,
  showReplicas,
  showScaling,
} from "./shown.ts";
import type { EnvSpec, GroupSpec, ProfileParams, RegistryAuthSpec, RouterSpec, ServiceSpec } from "./types.ts";
import { secretsIn } from "./used-secrets.ts";

/** Which field of a spec, for whoever decides what follows from its change. */
export type SpecField =
  | { of: "service"; key: Exclude<keyof ServiceSpec, "type" | "name" | "groups" | "profile"> }
  | { of: "profile"; key: keyof ProfileParams }
  | { of: "group"; key: Exclude<keyof GroupSpec, "name" | "router"> }
  /** `presence`: the group became a router, or is none any more. */
  | { of: "router"; key: keyof RouterSpec | "presence" }
  /** A whole group came or went. */
  | { of: "groups"; key: "router" | "other" };

/** One changed field, for people: `from` and `to` are short texts without secrets. */
export interface SpecChange {
  field: SpecField;
  /** As it is written, without the group it stands in: `replicas`, `env.MODEL_ID`, `resources.gpu`, `max_price`. */
  path: string;
  /** The groups whose replicas it concerns; empty for what concerns the service alone. */
  groups: string[];
  /** The path with its groups in front where they are not all there are: `decode.replicas`. */
  label: string;
  from: string;
  to: string;
  /** For commands of which more than one line changed: those lines, marked `- ` and `+ `. */
  lines: string[];
}

/** What stands for another value than before, although it is written as before: by name. */
export interface OtherValues {
  /** Variables that are passed through. */
  env: ReadonlySet<string>;
  /** Secrets of the project. */
  secrets: ReadonlySet<string>;
}

/** Characters of a value that a change shows. */
const MAX_SHOWN_CHARS = 60;

/** How much of what is the same stands before the first difference of two long texts. */
const CONTEXT_CHARS = 15;

/** Fields of the service that every replica is started with. */
const OF_EVERY_REPLICA: readonly (keyof ServiceSpec)[] = ["entrypoint", "shell", "user", "workingDir", "files"];

type Difference = Pick<SpecChange, "field" | "path" | "from" | "to"> & { lines?: string[] };

/**
 * What changes from one spec to the next, one entry for each changed field. The order of groups means nothing. What may
 * be a key is not shown: values of `env`, logins, headers of probes.
 * @param others what has another value although it is written as before
 */
export function diffSpecs(
  a: ServiceSpec,
  b: ServiceSpec,
  others: OtherValues = { env: new Set(), secrets: new Set() },
): SpecChange[] {
  const before = new Map(a.groups.map((group) => [group.name, group]));
  const after = new Map(b.groups.map((group) => [group.name, group]));
  const kept = b.groups.map(({ name }) => name).filter((name) => before.has(name));
  const label = (path: string, groups: string[]) =>
    groups.length === 0 || groups.length === kept.length ? path : `${groups.join(",")}.${path}`;

  const ofService = diffService(a, b, others).map((change) => {
    const groups =
      change.field.of === "profile" || OF_EVERY_REPLICA.includes(change.field.key as keyof ServiceSpec) ? kept : [];
    return { lines: [], ...change, groups, label: change.path };
  });
  const ofGroups = new Map<string, Difference & { groups: string[] }>();
  for (const name of kept) {
    const [old, next] = [before.get(name) as GroupSpec, after.get(name) as GroupSpec];
    for (const change of diffGroup(old, next, others)) {
      // What changes alike in several groups was most likely written once, for all of them.
      const key = JSON.stringify([change.path, change.from, change.to, change.lines]);
      const same = ofGroups.get(key);
      if (same) same.groups.push(name);
      else ofGroups.set(key, { ...change, groups: [name] });
    }
  }
  return [
    ...ofService,
    ...[...ofGroups.values()].map((change) => ({ lines: [], ...change, label: label(change.path, change.groups) })),
    ...b.groups
      .filter(({ name }) => !before.has(name))
      .map((group) => wholeGroup(group, ABSENT, showReplicas(group.count))),
    ...a.groups
      .filter(({ name }) => !after.has(name))
      .map((group) => wholeGroup(group, showReplicas(group.count), ABSENT)),
  ];
}

function wholeGroup(group: GroupSpec, from: string, to: string): SpecChange {
  const label = `group ${group.name}`;
  const field: SpecField = { of: "groups", key: group.router === null ? "other" : "router" };
  return { field, path: "groups", groups: [group.name], label, from, to, lines: [] };
}

function diffService(a: ServiceSpec, b: ServiceSpec, others: OtherValues): Difference[] {
  return [
    ...diffFields(SHOWN_SERVICE, a, b, (key) => ({ of: "service", key })),
    ...diffLogin(a.registryAuth, b.registryAuth, others),
    ...diffFields(SHOWN_ROLLOUT, a.rollout, b.rollout, () => ({ of: "service", key: "rollout" })),
    ...diffFields(SHOWN_PROFILE, a.profile, b.profile, (key) => ({ of: "profile", key })),
  ];
}

function diffGroup(a: GroupSpec, b: GroupSpec, others: OtherValues): Difference[] {
  return [
    ...diffFields(SHOWN_GROUP, a, b, (key) => ({ of: "group", key })),
    ...diffScaling(a.scaling, b.scaling),
    ...diffRouter(a.router, b.router),
    ...diffFields(SHOWN_RESOURCES, a.resources, b.resources, () => ({ of: "group", key: "resources" }), "resources."),
    ...diffLaunch(a.commands, b.commands),
    ...diffEnv(a.env, b.env, others),
  ];
}

function diffScaling(a: GroupSpec["scaling"], b: GroupSpec["scaling"]): Difference[] {
  const field: SpecField = { of: "group", key: "scaling" };
  if (a && b) return diffFields(SHOWN_SCALING, a, b, () => field, "scaling.");
  if (a === b) return [];
  return [{ field, path: "scaling", from: a ? showScaling(a) : ABSENT, to: b ? showScaling(b) : ABSENT }];
}

function diffRouter(a: RouterSpec | null, b: RouterSpec | null): Difference[] {
  if (a === null || b === null) {
    if (a === b) return [];
    return [
      { field: { of: "router", key: "presence" }, path: "router", from: a?.type ?? ABSENT, to: b?.type ?? ABSENT },
    ];
  }
  const shown: Shown<RouterSpec> = {
    type: String,
    generated: (made) => {
      if (made === null) return "(its commands)";
      return `${made.policy ?? "its default policy"}${made.pdDisaggregation ? ", prefill/decode" : ""}`;
    },
  };
  return diffFields(shown, a, b, (key) => ({ of: "router", key }), "router.").map((change) =>
    change.path === "router.generated" ? { ...change, path: "router" } : change,
  );
}

/** A single line that changed is shown like any other field. */
function diffLaunch(a: string[], b: string[]): Difference[] {
  if (isSame(a, b)) return [];
  const { lines, removed, added } = diffCommands(a, b);
  const single = removed.length <= 1 && added.length <= 1;
  const [from, to] = [removed.join(" ") || ABSENT, added.join(" ") || ABSENT];
  const texts = from === to ? { from: "(lines)", to: "(the same, in other lines)" } : shorten(from, to);
  return [{ field: { of: "group", key: "commands" }, path: "commands", ...texts, lines: single ? [] : lines }];
}

/** Whether a value is another one is said, never which. */
function diffEnv(a: EnvSpec, b: EnvSpec, others: OtherValues): Difference[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) => {
    const [old, next] = [a[name], b[name]];
    const field: SpecField = { of: "group", key: "env" };
    const path = `env.${name}`;
    if (old !== next) {
      const bothLiteral = typeof old === "string" && typeof next === "string";
      return [{ field, path, from: showEnv(old), to: bothLiteral ? "(another value)" : showEnv(next) }];
    }
    if (next === null) return others.env.has(name) ? [{ field, path, from: showEnv(next), to: "(another value)" }] : [];
    const to = showOthers([next ?? ""], others);
    return to === null ? [] : [{ field, path, from: showEnv(next), to }];
  });
}

/** A login that is written as before, of which a part is a secret with another value. */
function diffLogin(a: RegistryAuthSpec | null, b: RegistryAuthSpec | null, others: OtherValues): Difference[] {
  const to = a === null || b === null || !isSame(a, b) ? null : showOthers([b.username, b.password], others);
  if (to === null) return [];
  const from = SHOWN_SERVICE.registryAuth(b);
  return [{ field: { of: "service", key: "registryAuth" }, path: "registry_auth", from, to }];
}

/** Which secrets in these texts have other values; null: none. */
function showOthers(texts: string[], { secrets }: OtherValues): string | null {
  const named = texts.flatMap(secretsIn).filter((name) => secrets.has(name));
  const [first, ...more] = new Set(named);
  if (first === undefined) return null;
  return more.length === 0
    ? `(the secret ${first} has another value)`
    : `(the secrets ${[first, ...more].join(", ")} have other values)`;
}

function showEnv(value: string | null | undefined): string {
  if (value === undefined) return ABSENT;
  return value === null ? "(passed on)" : "(a value)";
}

/** Compares the fields that `shown` has an entry for. */
function diffFields<T extends object>(
  shown: Shown<T>,
  a: T,
  b: T,
  fieldOf: (key: keyof T & string) => SpecField,
  prefix = "",
): Difference[] {
  return (Object.keys(shown) as (keyof T & string)[]).flatMap((key) => {
    if (isSame(a[key], b[key])) return [];
    const [from, to] = [shown[key](a[key]), shown[key](b[key])];
    const texts = from === to ? { from, to: `${to}, with other details` } : shorten(from, to);
    return [{ field: fieldOf(key), path: `${prefix}${writtenName(key)}`, ...texts }];
  });
}

/** How a field is written in a file: `stopDuration` is `stop_duration`, `maxDurationS` is `max_duration`. */
function writtenName(key: string): string {
  if (key === "count") return "replicas";
  return key.replace(/S$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** A value as text, the same for the same value whatever the order of its keys. */
function canonical(value: unknown): string | undefined {
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
