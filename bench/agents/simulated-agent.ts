import { randomUUID } from "node:crypto";
import { Post } from "../../agents/host/carriers.ts";
import { Sync } from "../../agents/host/sync.ts";
import { Uplink } from "../../agents/host/uplink.ts";
import type { LinkEnd, LinkHandler } from "../../src/link/types.ts";
import {
  type DesiredJob,
  type DesiredState,
  type Inventory,
  type JobReport,
  openToAgent,
  type Report,
  type RouterReport,
} from "../../src/wire/index.ts";
import { plainInventory } from "../../test/support/inventories.ts";
import { sharedNowMs } from "../proxy/traffic.ts";
import type { Seen } from "./orders.ts";

/** How long a job takes from its start to its readiness, spread so that not all of a service are ready in one moment. */
const START_MS = { least: 500, spread: 1_500 };

export interface HostIdentity {
  project: string;
  host: string;
  credential: string;
  machine: string;
}

/** What a host with eight accelerators says of itself. */
export function inventoryOf(serial: number): Inventory {
  return plainInventory({
    address: `10.${(serial >> 16) & 255}.${(serial >> 8) & 255}.${serial & 255}`,
    cpus: 192,
    memoryGib: 2_015.6,
    diskGib: 14_304.2,
    accelerators: Array.from({ length: 8 }, (_, index) => ({
      index,
      vendor: "nvidia",
      name: "H200",
      memoryGib: 140.4,
    })),
    warnings: ["jobs are not confined: no cgroup of the agent's own may be written"],
  });
}

/**
 * A host's agent without a host: it dials, syncs and comes back with the agent's own code, and what it is told to run is
 * starting at once and ready a moment later, without a process.
 */
export class SimulatedAgent {
  readonly #inventory: Inventory;
  readonly #sync: Sync;
  readonly #uplink: Uplink;
  #link: LinkEnd | null = null;
  #desired: DesiredState | null = null;
  #hash = "";
  /** The list of hosts that it would try. */
  #peers = "";
  readonly #ready = new Set<string>();
  /** When it was first told of a job of each service. */
  readonly #toldAt = new Map<string, number>();
  #openedAt = Number.POSITIVE_INFINITY;
  /** When the first sync over its present link was answered. */
  #backAt = Number.NEGATIVE_INFINITY;

  /** @param seen is written to */
  constructor(server: string, identity: HostIdentity, serial: number, seen: Seen) {
    this.#inventory = inventoryOf(serial);
    const agent = { version: "0.1.0", bootId: randomUUID(), machine: identity.machine, incarnation: randomUUID() };
    const post = new Post(server, identity.credential);
    this.#sync = new Sync({
      project: identity.project,
      host: identity.host,
      agent: () => agent,
      accepted: async () => undefined,
      update: () => undefined,
      held: () => ({ desired: this.#desired, hash: this.#hash }),
      report: async () => this.#report(),
      take: async (desired, hash) => this.#take(desired, hash),
      takePeers: ({ tag }) => {
        this.#peers = tag;
      },
      post: (report, signal) => {
        seen.posted += 1;
        return post.carry(report, signal);
      },
      log: (_level, message, fields) => {
        seen.failed += 1;
        seen.failure = `${message}: ${fields?.reason}`;
      },
    });
    this.#uplink = new Uplink({
      server,
      credential: identity.credential,
      handler: serve(() => this.#sync.soon()),
      opened: (link, closed) => {
        this.#link = link;
        this.#openedAt = sharedNowMs();
        closed.addEventListener("abort", () => {
          if (this.#link === link) this.#link = null;
        });
        this.#sync.use(this.#timed(link, seen), closed);
      },
      failed: () => this.#sync.goWithoutLink(),
      isHeard: () => this.#sync.posting,
      log: (_level, message) => {
        if (message.includes("come back")) seen.refused += 1;
      },
    });
  }

  start(): void {
    this.#uplink.start();
  }

  sync(): void {
    this.#sync.soon();
  }

  /** For good. */
  stop(): void {
    this.#uplink.close();
  }

  cut(): void {
    this.#link?.close("cut by the bench");
  }

  /** Whether it has a link, over which it has synced. */
  get isLinked(): boolean {
    return this.#link !== null && this.isSynced;
  }

  get isSynced(): boolean {
    return this.#backAt >= this.#openedAt;
  }

  /** When it had synced over a link that was opened since; null: not yet. */
  backAt(since: number): number | null {
    return this.isSynced && this.#openedAt >= since ? this.#backAt : null;
  }

  toldAt(service: string): number | null {
    return this.#toldAt.get(service) ?? null;
  }

  /** The jobs that it was told of last, by the names that they have for good. */
  get jobs(): string[] {
    return (this.#desired?.jobs ?? []).map(({ job, replica }) => `${replica} ${job}`);
  }

  runs(jobs: number): boolean {
    return (this.#desired?.jobs.length ?? 0) === jobs && this.#ready.size === jobs;
  }

  /** The same link, whose requests are timed. */
  #timed(link: LinkEnd, seen: Seen): LinkEnd {
    return {
      request: async (open, body, signal) => {
        const began = performance.now();
        const answer = await link.request(open, body, signal);
        seen.syncMs.push(performance.now() - began);
        if (!this.isSynced) this.#backAt = sharedNowMs();
        return answer;
      },
      receive: (message) => link.receive(message),
      close: (reason) => link.close(reason),
      get openStreams() {
        return link.openStreams;
      },
    };
  }

  #take(desired: DesiredState, hash: string): void {
    const before = this.#desired?.jobs ?? [];
    this.#desired = desired;
    this.#hash = hash;
    if (before === desired.jobs) return;
    const known = new Set(before.map(({ job }) => job));
    const fresh = desired.jobs.filter(({ job }) => !known.has(job));
    for (const { service } of fresh) if (!this.#toldAt.has(service)) this.#toldAt.set(service, sharedNowMs());
    const wanted = new Set(desired.jobs.map(({ job }) => job));
    for (const job of this.#ready) if (!wanted.has(job)) this.#ready.delete(job);
    if (JSON.stringify(before) !== JSON.stringify(desired.jobs)) this.#sync.soon();
    if (fresh.length === 0) return;
    setTimeout(
      () => {
        for (const { job } of fresh) this.#ready.add(job);
        this.#sync.soon();
      },
      START_MS.least + Math.random() * START_MS.spread,
    );
  }

  #report(): Omit<Report, "agent" | "seq"> {
    const jobs = this.#desired?.jobs ?? [];
    return {
      inventory: this.#inventory,
      busyPorts: [22, 111, 9_100, 9_400],
      applied: { version: this.#desired?.version ?? 0, hash: this.#hash },
      jobs: jobs.map((job) => this.#jobReport(job)),
      routers: jobs.filter(({ role }) => role === "router").map((job) => this.#routerReport(job)),
      peers: { tag: this.#peers, round: 0, unreached: [] },
    };
  }

  #jobReport({ job, replica, role, phase }: DesiredJob): JobReport {
    const isReady = this.#ready.has(job);
    return {
      job,
      replica,
      state: phase.kind !== "run" ? "ended" : isReady ? "ready" : "starting",
      attempt: 1,
      recentEnds: 0,
      lastEnd: null,
      confirmed: isReady ? { role, bootstrapPort: null } : null,
      message: isReady ? "" : "its probe at /health is not answered: connection refused",
    };
  }

  #routerReport({ job, replica, workers }: DesiredJob): RouterReport {
    const listed = workers.map((worker) => worker.replica);
    return { job, replica, incarnation: job, listed, synced: this.#desired?.version ?? 0 };
  }
}

/** Answers like an agent and the smallest of engines. */
function serve(wake: () => void): LinkHandler {
  const answer = new TextEncoder().encode('{"choices":[{"message":{"role":"assistant","content":"yes"}}]}');
  return async (open) => {
    const { kind } = openToAgent.parse(open);
    if (kind === "wake") wake();
    if (kind !== "http") return { head: { status: 204, headers: [] }, body: null };
    return { head: { status: 200, headers: [["content-type", "application/json"]] }, body: answer };
  };
}
