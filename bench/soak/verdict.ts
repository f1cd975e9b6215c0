import type { Vitals } from "./vitals.ts";

/** Means of the first, middle and last third of a run, and whether the last shows growth. */
export interface Trend {
  first: number;
  middle: number;
  last: number;
  grows: boolean;
}

/** What a measure may rise by from the middle to the last third, in its own unit, beside a tenth of itself. */
const SLACK: Record<keyof Vitals, number> = {
  serverMb: 8,
  serverFiles: 6,
  agentMb: 8,
  agentFiles: 6,
  databaseKb: 512,
  // The log grows to what its largest transaction needs between two checkpoints, and is used again.
  walKb: 1_024,
  // The journal is trimmed every 500 commits.
  journalRows: 600,
  entities: 10,
};

/**
 * Compares the last third with the middle one: the first holds what is built up once (compiled code, caches, pages).
 * @param rows of equal spans, oldest first; at least three
 */
export function trends(rows: Vitals[]): Record<keyof Vitals, Trend> {
  const third = Math.floor(rows.length / 3);
  if (third === 0) throw new Error("a verdict needs three rows at least");
  const mean = (part: Vitals[], key: keyof Vitals) =>
    Math.round(part.reduce((sum, row) => sum + row[key], 0) / part.length);
  const trend = (key: keyof Vitals): Trend => {
    const first = mean(rows.slice(0, third), key);
    const middle = mean(rows.slice(third, rows.length - third), key);
    const last = mean(rows.slice(rows.length - third), key);
    return { first, middle, last, grows: last > middle * 1.1 + SLACK[key] };
  };
  return Object.fromEntries(Object.keys(SLACK).map((key) => [key, trend(key as keyof Vitals)])) as Record<
    keyof Vitals,
    Trend
  >;
}
