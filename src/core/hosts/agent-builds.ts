import { shortBuild } from "../../spec/index.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";

/** The builds of the agent that hosts can be given, each by the SHA-256 of its archive. */
export interface AgentBuilds {
  /** The one that this server gives out; null where nothing is given out from here. */
  server: string | null;
  /** Those that it gave out before and still has. */
  kept: readonly string[];
  /** Address of the folder that has them; null = where each host was installed from. */
  from: string | null;
}

export const NO_BUILDS: AgentBuilds = { server: null, kept: [], from: null };

/** What the hosts of a fleet are to run. */
export type AgentTarget =
  | { kind: "build"; build: string }
  /** Each what it has. */
  | { kind: "hold" }
  /** What the fleet's file asks for cannot be given. `why` is for people. */
  | { kind: "missing"; why: string };

/**
 * @param version as a fleet's settings have it: `server`, `hold` or the start of a build
 * @param givenOut what the project's server gives out as far as is committed, which may be another server than this one
 */
export function agentTarget(
  version: string,
  { server, kept }: Pick<AgentBuilds, "server" | "kept">,
  givenOut: string | null,
): AgentTarget {
  if (version === "hold") return { kind: "hold" };
  const all = server === null ? kept : [server, ...kept];
  if (version === "server") {
    // A server that runs from its sources has none to give, which is no trouble of the fleet's.
    if (server === null) return { kind: "hold" };
    const build = givenOut ?? server;
    if (all.includes(build)) return { kind: "build", build };
    const why = `another server on this database gives out build ${shortBuild(build)} of the agent, which this one does not have`;
    return { kind: "missing", why };
  }
  const found = all.filter((build) => build.startsWith(version));
  if (found.length === 1) return { kind: "build", build: found[0]! };
  if (found.length > 1) return { kind: "missing", why: `several builds of the agent begin with ${version}` };
  const there = all.length === 0 ? "it has none" : `it has ${all.map(shortBuild).join(", ")}`;
  const why = `this server does not have build ${version} of the agent: ${there}`;
  return { kind: "missing", why: why.slice(0, REASON_LENGTH_MAX) };
}
