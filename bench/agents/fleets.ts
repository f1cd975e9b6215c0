import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.js";
import type { Answer, JoinedHost, Order, Seen } from "./orders.ts";

/** Agents of one process: a thousand take about a tenth of a core, and far fewer sockets than a process may open. */
const AGENTS_PER_PROCESS = 1_000;

/**
 * Nothing that is waited for takes longer, even with other work on the machine; what does is broken. The longest is that all
 * jobs of all agents are ready, which takes the server two commits for each job.
 */
const ORDER_MS_MAX = { fixed: 120_000, perAgent: 240 };

interface Fleet {
  child: ChildProcess;
  agents: number;
  orderMsMax: number;
  /** Aborts when the process has ended. */
  ended: AbortSignal;
}

/** Simulated agents, in as many processes as they need. */
export class Fleets {
  readonly #processes: Fleet[] = [];
  readonly agents: number;

  constructor(agents: number) {
    this.agents = agents;
    for (let left = agents; left > 0; left -= AGENTS_PER_PROCESS) {
      const child = fork(join(ROOT, "bench/agents/fleet.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      const ended = new AbortController();
      child.once("exit", () => ended.abort(new Error("a process of agents ended")));
      const orderMsMax = ORDER_MS_MAX.fixed + ORDER_MS_MAX.perAgent * agents;
      this.#processes.push({ child, agents: Math.min(left, AGENTS_PER_PROCESS), orderMsMax, ended: ended.signal });
    }
  }

  /** @param tokens to join with, one for each agent */
  join(server: string, tokens: string[]): Promise<void> {
    return this.#share(tokens, (some, firstName) => ({ kind: "join", server, tokens: some, firstName }));
  }

  /** @param hosts of agents that have joined already, one for each */
  adopt(server: string, project: string, hosts: JoinedHost[]): Promise<void> {
    return this.#share(hosts, (some) => ({ kind: "adopt", server, project, hosts: some }));
  }

  async #share<T>(all: T[], orderOf: (some: T[], first: number) => Order): Promise<void> {
    let first = 0;
    const orders = this.#processes.map(({ agents }) => {
      first += agents;
      return orderOf(all.slice(first - agents, first), first - agents);
    });
    await Promise.all(this.#processes.map((fleet, i) => tell(fleet, orders[i] as Order)));
  }

  /** Tells all processes the same. @returns the times that they answer with, in rising order */
  async tell(order: Order): Promise<number[]> {
    const answers = await this.#all(order);
    return answers.flatMap(({ at }) => at).sort((a, b) => a - b);
  }

  /** What the agents saw since the last call. */
  async seen(): Promise<Seen> {
    const all: Seen = { syncMs: [], failed: 0, failure: null, refused: 0, posted: 0, linked: 0 };
    for (const { seen } of await this.#all({ kind: "seen" })) {
      if (seen === null) continue;
      for (const ms of seen.syncMs) all.syncMs.push(ms);
      all.failed += seen.failed;
      all.failure ??= seen.failure;
      all.refused += seen.refused;
      all.posted += seen.posted;
      all.linked += seen.linked;
    }
    all.syncMs.sort((a, b) => a - b);
    return all;
  }

  stop(): void {
    for (const { child } of this.#processes) if (child.connected) child.disconnect();
  }

  #all(order: Order): Promise<Answer[]> {
    return Promise.all(this.#processes.map((fleet) => tell(fleet, order)));
  }
}

async function tell({ child, ended, orderMsMax }: Fleet, order: Order): Promise<Answer> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(orderMsMax)]);
  const answered = once(child, "message", { signal }) as Promise<[Answer]>;
  child.send(order);
  const [answer] = await answered.catch((error) => {
    throw new Error(`"${order.kind}" was not done: ${signal.reason ?? error}`);
  });
  return answer;
}
