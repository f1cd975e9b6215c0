import type { EntityRef, Range, Share } from "../types.ts";
import { writeNumber } from "./yaml.ts";

/** The value unless it is what a field means when it is left out. */
export function unless<T>(fallback: T, value: T): T | undefined {
  return isSame(value, fallback) ? undefined : value;
}

/** Whether two values of a spec are the same; keys may stand in any order. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as keyof typeof a], b[key as keyof typeof b]))
  );
}

const units: readonly [string, number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

/** Seconds in the largest unit that leaves a whole number: `90s`, `5m`, `2h`. */
export function writeDuration(seconds: number): string | number {
  const unit = units.find(([, size]) => seconds >= size && Number.isInteger(seconds / size));
  return unit === undefined ? seconds : `${seconds / unit[1]}${unit[0]}`;
}

/** Null is for ever, which is written `off`. */
export function writeOffable(seconds: number | null): string | number {
  return seconds === null ? "off" : writeDuration(seconds);
}

/** `n`, `a..b` or `a..`. */
export function writeRange(
  { min, max }: Range,
  writeEnd: (end: number) => string | number = (end) => end,
): string | number {
  if (min === max) return writeEnd(min);
  return `${writeEnd(min)}..${max === null ? "" : writeEnd(max)}`;
}

/** GiB, which the language calls GB. */
export function writeMemory(gib: number): string {
  const isWholeMb = !Number.isInteger(gib) && Number.isInteger(gib * 1024);
  return isWholeMb ? `${writeNumber(gib * 1024)}MB` : `${writeNumber(gib)}GB`;
}

/** A number of replicas, or per cent of them. */
export function writeShare(share: Share): string | number {
  return "replicas" in share ? share.replicas : `${share.percent}%`;
}

export function writeRef({ project, name }: EntityRef): string {
  return project === null ? name : `${project}/${name}`;
}
