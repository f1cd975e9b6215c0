import type { Program } from "../../scripts/system-packages.ts";
import type { DrillCluster, Starts } from "./cluster.ts";
import type { Phases } from "./load.ts";

/** What a drill saw. Plain JSON. */
export interface Finding {
  /** Requests by when they were begun, of each way in. */
  proxy: Phases;
  direct: Phases;
  /** Milliseconds; each name says from when. */
  times: Record<string, number>;
  /** Whatever else a test looks at. */
  seen: Record<string, unknown>;
}

/** One thing that goes wrong on purpose, while users stream. */
export interface Drill {
  /** For the table of the bench. */
  title: string;
  /** What it needs on the machine. */
  programs?: Program[];
  /** What has to be made before anything starts: a clock, a small disk. @param folder the cluster's own */
  prepare?: (folder: string) => Starts;
  run(cluster: DrillCluster): Promise<Finding>;
}

/** Milliseconds from one instant to others. */
export function since<K extends string>(start: number, instants: Record<K, number>): Record<K, number> {
  const spans = Object.entries<number>(instants).map(([name, at]) => [name, Math.round(at - start)]);
  return Object.fromEntries(spans) as Record<K, number>;
}
