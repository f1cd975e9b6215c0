/** What the counting Worker has seen since it was started; every figure only grows, but for the maxima. */
export interface EdgeCounts {
  /** How often, by who does what: `link>project.hostHere`, `project.alarm`, `link.message`, `project.write`. */
  calls: Record<string, number>;
  /** By kind of invocation, e.g. `worker.fetch`, `project.alarm`. */
  invocations: Record<string, InvocationCounts>;
  /** The most that was awaited at a time, by who awaits what. */
  atOnce: Record<string, number>;
}

export interface InvocationCounts {
  count: number;
  /** Requests to other objects and to the database that one invocation made at most. */
  subrequestsMax: number;
  /** Of them to the database. */
  databaseMax: number;
}

/** Where the counting Worker tells its counts, as JSON. */
export const COUNTS_PATH = "/counts";
