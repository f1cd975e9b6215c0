import type { Finding } from "../finding.ts";
import { readFlag } from "../schema/fields.ts";
import { count } from "../schema/ranges.ts";
import type { Path } from "../yaml/node.ts";

/**
 * A mapping as written. Rules across fields look at this and not at what the schemas made of it, so that a slip in one
 * field does not hide what is wrong between others: whatever a rule cannot read, it leaves to the schema's own message.
 */
export type Raw = Record<string, unknown>;

/** A group as written, with the place it was written at. */
export interface RawGroup {
  raw: Raw;
  path: Path;
  index: number;
}

export function isMapping(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a field is written at all; null is the same as leaving it out. */
export function isSet(raw: Raw, key: string): boolean {
  return Object.hasOwn(raw, key) && raw[key] !== null;
}

/** Whether a boolean field is written as true. */
export function isOn(raw: Raw, key: string): boolean {
  return isSet(raw, key) && readFlag(raw[key]) === true;
}

/** Whether commands are written, if only one. */
export function hasCommands(raw: Raw): boolean {
  return isSet(raw, "commands") && !(Array.isArray(raw.commands) && raw.commands.length === 0);
}

/** The list of groups under either name; null when the service has none. */
export function groupsKey(raw: Raw): "groups" | "replicas" | null {
  if (isSet(raw, "groups")) return "groups";
  return Array.isArray(raw.replicas) ? "replicas" : null;
}

export function groupsOf(raw: Raw): RawGroup[] {
  const key = groupsKey(raw);
  const list = key === null ? [] : raw[key];
  if (key === null || !Array.isArray(list)) return [];
  return list.flatMap((item, index) => (isMapping(item) ? [{ raw: item, path: [key, index], index }] : []));
}

/** The key that a group's count is written under; where both are, `replicas` wins. */
export function countKey(group: Raw): "replicas" | "count" | null {
  if (isSet(group, "replicas")) return "replicas";
  return isSet(group, "count") ? "count" : null;
}

/** A count as written; null when it is not written or not readable. */
export function countOf(written: unknown): { min: number; max: number } | null {
  const read = count.safeParse(written);
  return read.success ? read.data : null;
}

export function atKey(path: Path, message: string): Finding {
  return { path, at: "key", message };
}

export function atValue(path: Path, message: string): Finding {
  return { path, at: "value", message };
}
