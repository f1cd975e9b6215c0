import { isIPv6 } from "node:net";
import type { ReplicaPlace } from "../../control/types.ts";
import { LinkError, reasonOf } from "../../link/errors.ts";
import type { ReceivedBody } from "../../link/types.ts";
import { SERVICE_REQUESTS_MAX } from "../../proxy/limits.ts";
import type { OpenToReplica, ProxySource, ReplicaWay, RouteTarget } from "../../proxy/types.ts";
import { ReplicaClient } from "../../replica/client.ts";
import { Unreached } from "../../replica/exchange.ts";
import type { DirectNetworks } from "./networks.ts";

/** A host in the same data centre accepts within a few round trips; the link is there for when it does not. */
const CONNECT_MS = 1_000;
/** For how long a replica that accepted no connection is reached over the link alone. */
const AVOIDED_MS = 5_000;
/** Replicas with connections of their own; the longest known go first, without cutting what is under way. */
const REPLICAS_MAX = 1_024;

interface DirectParts {
  networks: DirectNetworks;
  /** Where the committed state says that a replica runs, now and not as a cache has it; null: nowhere. */
  placeOf: (project: string, replica: string) => ReplicaPlace | null;
  /** The address from which the link of a host was opened last. */
  peerOf: (project: string, host: string) => string | null;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
}

/**
 * Ways to replicas that skip the link: a connection to the replica itself.
 *
 * How it is made sure that the replica reached is the one meant:
 * - The address is one on which three agree: the host's agent says that it is at that address, its link was seen to
 *   come from there, and the operator has said that the fleet's hosts are in that network. What an agent merely claims
 *   can at most turn this way off.
 * - The port is the one that the committed state promises to the replica at this moment. A promised port is nobody
 *   else's until the agent has said that nothing of the job is left.
 * - Connections belong to a replica. One that was opened to a replica is never used for another that has its address
 *   and port later, and it ends with the process that accepted it.
 * What is left is a process outside Headrace that takes a port between the death of a replica and the next look at it;
 * the agent's own connections have that in common.
 */
export class DirectWays {
  readonly #parts: DirectParts;
  readonly #known = new Map<string, DirectTarget>();

  constructor(parts: DirectParts) {
    this.#parts = parts;
  }

  /** @returns null where the replica has to be reached over its link */
  way(project: string, { replica, host, unready }: RouteTarget, link: ReplicaWay | null): ReplicaWay | null {
    // Whether one that is not ready serves is known to its agent alone: asked directly, one that hangs would be waited for.
    if (unready && link !== null) return null;
    const key = `${project}/${replica}`;
    const place = this.#agreedPlace(project, replica, host);
    const known = this.#known.get(key);
    // Which networks a fleet has does not change while the process lives.
    if (known && place && isSame(known.place, place)) return known.way(link, this.#parts.now());
    if (known) this.#forget(key, known);
    if (place === null || !this.#parts.networks.allows(project, place.fleet, place.address)) return null;
    const target = new DirectTarget(place, this.#parts.now);
    this.#known.set(key, target);
    for (const [oldest, each] of this.#known) {
      if (this.#known.size <= REPLICAS_MAX) break;
      this.#forget(oldest, each);
    }
    return target.way(link, this.#parts.now());
  }

  close(): Promise<unknown> {
    return Promise.all([...this.#known.values()].map((target) => target.client.close()));
  }

  /** Where the replica is, if the agent's word, its link and the committed state agree on that. */
  #agreedPlace(project: string, replica: string, host: string): ReplicaPlace | null {
    const place = this.#parts.placeOf(project, replica);
    if (place === null || place.host !== host) return null;
    return this.#parts.peerOf(project, host) === place.address ? place : null;
  }

  #forget(key: string, target: DirectTarget): void {
    this.#known.delete(key);
    void target.client.retire();
  }
}

function isSame(one: ReplicaPlace, other: ReplicaPlace): boolean {
  const { host, fleet, address, port } = one;
  return host === other.host && fleet === other.fleet && address === other.address && port === other.port;
}

/** One replica at one address, with connections of its own. */
class DirectTarget {
  readonly place: ReplicaPlace;
  readonly origin: string;
  readonly client = new ReplicaClient({ connectMs: CONNECT_MS, connectionsMax: SERVICE_REQUESTS_MAX });
  readonly #now: () => number;
  #avoidedUntil = Number.NEGATIVE_INFINITY;

  constructor(place: ReplicaPlace, now: () => number) {
    const { address, port } = place;
    this.place = place;
    this.origin = `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
    this.#now = now;
  }

  /** The connection first, the link where none comes about. */
  way(link: ReplicaWay | null, now: number): ReplicaWay | null {
    if (link !== null && now < this.#avoidedUntil) return null;
    return {
      requestsMax: SERVICE_REQUESTS_MAX,
      request: (open, body, signal) => this.#request(open, body, signal, link),
    };
  }

  async #request(open: OpenToReplica, body: ReceivedBody, signal: AbortSignal, link: ReplicaWay | null) {
    const { method, path, headers } = open;
    try {
      return await this.client.request(this.origin, { method, path, headers, body }, signal, () => undefined);
    } catch (error) {
      if (signal.aborted) throw new LinkError("aborted", "the request was cancelled");
      if (!(error instanceof Unreached)) throw new LinkError("reset", reasonOf(error));
      this.#avoidedUntil = this.#now() + AVOIDED_MS;
      // Nothing has left and the body is untouched.
      if (link !== null) return link.request(open, body, signal);
      throw new LinkError("closed", `no connection to ${this.origin}: ${error.message}`, false);
    }
  }
}

/** What the request path knows, with ways that skip the link where there are any. */
export function withDirectWays(source: ProxySource, direct: DirectWays): ProxySource {
  return {
    service: (project, service) => source.service(project, service),
    models: (project) => source.models(project),
    authorize: (project, token) => source.authorize(project, token),
    wayBack: (project, targets, signal) => source.wayBack(project, targets, signal),
    way(project, target) {
      const link = source.way(project, target);
      return direct.way(project, target, link) ?? link;
    },
  };
}
