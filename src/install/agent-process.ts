/**
 * How Node is told to be small, since an agent is idle most of its life and its host's memory is for engines: with ten
 * processes to look after it takes 76 MB where it took 84 (docs/benchmarks.md). What it makes of a request lives for a
 * moment, and needs no large space for the young, which only fills up.
 */
export const AGENT_NODE_FLAGS = ["--max-semi-space-size=2", "--optimize-for-size"] as const;

/** The C library otherwise keeps an arena for each of Node's threads. Jobs do not inherit it. */
export const AGENT_ENVIRONMENT = { MALLOC_ARENA_MAX: "1" } as const;
