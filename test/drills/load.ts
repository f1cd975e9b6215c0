import { OpenLoop, type Served } from "../support/open-loop.ts";
import { until } from "../support/processes.ts";
import type { DrillCluster } from "./cluster.ts";
import { MODEL } from "./service.ts";

/**
 * With a second per answer seven streams are open at a time, which two busy cores hold. The rates differ, so that the
 * router's turns do not send each way to workers of its own.
 */
const PER_SECOND = { proxy: 4, direct: 3 };
/** About a second of streaming. */
const TOKENS = 80;
/** Before a fault this many requests of each way were answered: so streams of all workers are under way. */
const WARM_REQUESTS = 8;
/** After the last request was sent; a stream that waits for longer hangs. */
const LAST_ANSWERS_MS = 20_000;

/** What became of the requests of one span of time. */
export interface Counts {
  sent: number;
  whole: number;
  cut: number;
  failed: number;
  hung: number;
  /** What the first of those that were not whole ended with. */
  example: string;
  /** The longest that a whole one was silent. */
  silentMs: number;
}

/** The requests of one way in, by when they were begun. */
export interface Phases {
  /** Begun before the fault and under way when it struck. */
  underWay: Counts;
  /** Begun after the fault, before it was dealt with. */
  window: Counts;
  /** Begun after it was dealt with: a new request like any other. */
  after: Counts;
}

export type Way = "proxy" | "direct";

/** Users who stream from the service by both ways in: through the control plane and its link, and at the router. */
export class Load {
  readonly #loops: Record<Way, OpenLoop>;

  private constructor(loops: Record<Way, OpenLoop>) {
    this.#loops = loops;
  }

  /** Returns when answers flow on both ways. */
  static async start(cluster: DrillCluster): Promise<Load> {
    const body = { model: MODEL, stream: true, max_tokens: TOKENS, ignore_eos: true };
    const loop = (url: string, perSecond: number) => new OpenLoop({ url, perSecond, body, token: cluster.token });
    const router = await cluster.routerUrl();
    const load = new Load({
      proxy: loop(cluster.serviceUrl, PER_SECOND.proxy),
      direct: loop(router, PER_SECOND.direct),
    });
    await load.more(WARM_REQUESTS);
    return load;
  }

  /** Waits until so many more requests of each way are over. */
  async more(requests = WARM_REQUESTS): Promise<void> {
    const ways = Object.values(this.#loops);
    const before = ways.map(({ served }) => served.length);
    await until(
      () => ways.every(({ served }, i) => served.length >= (before[i] ?? 0) + requests),
      () => "requests do not end",
    );
  }

  /** Ends it. @returns what became of all requests */
  async stop(): Promise<Record<Way, Served[]>> {
    const { proxy, direct } = this.#loops;
    const [proxied, routed] = await Promise.all([proxy.stop(LAST_ANSWERS_MS), direct.stop(LAST_ANSWERS_MS)]);
    return { proxy: proxied, direct: routed };
  }
}

/** @param fault when it struck @param over when it was dealt with */
export function phasesOf(served: Served[], fault: number, over: number): Phases {
  return {
    underWay: countsOf(served.filter(({ at, endedAt }) => at < fault && endedAt >= fault)),
    window: countsOf(served.filter(({ at }) => at >= fault && at < over)),
    after: countsOf(served.filter(({ at }) => at >= over)),
  };
}

function countsOf(served: Served[]): Counts {
  const of = (outcome: Served["outcome"]) => served.filter((one) => one.outcome === outcome);
  const bad = served.find(({ outcome }) => outcome !== "whole");
  return {
    sent: served.length,
    whole: of("whole").length,
    cut: of("cut").length,
    failed: of("failed").length,
    hung: of("hung").length,
    example: bad ? `${bad.outcome} ${bad.status} after ${Math.round(bad.endedAt - bad.at)} ms: ${bad.detail}` : "",
    silentMs: Math.round(Math.max(0, ...of("whole").map(({ silentMs }) => silentMs))),
  };
}
