import { Refusal } from "./errors.ts";
import { HOST_REQUESTS_MAX, SERVICE_REQUESTS_MAX } from "./limits.ts";
import type { ReplicaWay, RouteTarget, ServiceEntry } from "./types.ts";

/** - `full`: targets are there, all at their bound; - `unreachable`: no way to any of them; - `none`: nothing is left. */
export type Choice =
  | { kind: "target"; target: RouteTarget; way: ReplicaWay }
  | { kind: "full" | "unreachable" | "none" };

/** What is under way from here, by service, host and replica: who is asked next, and who may not be asked now. */
export class Load {
  readonly #services = new Map<string, number>();
  readonly #hosts = new Map<string, number>();
  readonly #replicas = new Map<string, number>();
  #turn = 0;

  /**
   * Counts a request for a service until the returned function is called.
   * @throws Refusal 429 when the service has too many.
   */
  enter(entry: ServiceEntry): () => void {
    const key = `${entry.project}/${entry.service}`;
    if ((this.#services.get(key) ?? 0) >= SERVICE_REQUESTS_MAX) {
      throw tooMany(`service ${entry.service} has ${SERVICE_REQUESTS_MAX} requests under way`);
    }
    return count(this.#services, key);
  }

  /** Counts a request at a target until the returned function is called. */
  take(project: string, target: RouteTarget): () => void {
    const host = count(this.#hosts, `${project}/${target.host}`);
    const replica = count(this.#replicas, `${project}/${target.replica}`);
    return () => {
      host();
      replica();
    };
  }

  /** The reachable target with the fewest requests from here; among equals they take turns. */
  choose(entry: ServiceEntry, tried: ReadonlySet<string>, wayTo: (target: RouteTarget) => ReplicaWay | null): Choice {
    const { project, targets } = entry;
    const first = this.#turn++;
    let best: Choice = { kind: "none" };
    let fewest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(first + i) % targets.length]!;
      const inFlight = this.#replicas.get(`${project}/${target.replica}`) ?? 0;
      if (tried.has(target.replica) || inFlight >= fewest) continue;
      const way = wayTo(target);
      if (way === null) {
        if (best.kind === "none") best = { kind: "unreachable" };
      } else if ((this.#hosts.get(`${project}/${target.host}`) ?? 0) >= (way.requestsMax ?? HOST_REQUESTS_MAX)) {
        if (best.kind !== "target") best = { kind: "full" };
      } else {
        best = { kind: "target", target, way };
        fewest = inFlight;
      }
    }
    return best;
  }
}

export function tooMany(what: string): Refusal {
  return new Refusal(429, "too_many_requests", `${what}; try again in a moment`);
}

/** Adds one. @returns takes it away again, once. */
export function count(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let counted = true;
  return () => {
    if (!counted) return;
    counted = false;
    const left = counts.get(key)! - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}
