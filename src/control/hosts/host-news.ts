/**
 * So many of some hosts, beginning with another one each turn: of a service on thousands each request waits for a few, and
 * all together for all.
 */
export function fewOf(hosts: readonly string[], max: number, turn: number): string[] {
  const from = hosts.length === 0 ? 0 : (turn * max) % hosts.length;
  return [...hosts.slice(from), ...hosts.slice(0, from)].slice(0, max);
}

/** Those who wait for something to change about a host. Each is told once, of the first of the hosts that they named. */
export class HostNews {
  private readonly waiting = new Map<string, Set<() => void>>();

  /** Resolves at the next news of one of these hosts, or once `signal` aborts. */
  async of(hosts: string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = () => resolve();
    signal.addEventListener("abort", leave, { once: true });
    for (const host of hosts) {
      const others = this.waiting.get(host);
      if (others) others.add(leave);
      else this.waiting.set(host, new Set([leave]));
    }
    await promise;
    signal.removeEventListener("abort", leave);
    for (const host of hosts) {
      const all = this.waiting.get(host);
      if (all?.delete(leave) && all.size === 0) this.waiting.delete(host);
    }
  }

  tell(host: string): void {
    for (const told of this.waiting.get(host) ?? []) told();
  }
}
