import type { LinkEnd, ReceivedAnswer } from "../../src/link/types.ts";
import type { OpenToAgent, Report, SyncAnswer } from "../../src/wire/index.ts";
import type { Agent } from "./agent.ts";
import type { Network } from "./network.ts";
import type { Server } from "./server.ts";

/** Longer than the control plane reads its state once, with a database that is slow. */
const SETTLED_MS = 10_000;

const NO_ANSWER = { head: { status: 204, headers: [] }, body: null } satisfies ReceivedAnswer;

/** The link of one host: the server's end as `control` knows it, and what the agent does with its own. */
export class SimLink implements LinkEnd {
  readonly agent: Agent;
  readonly server: Server;
  readonly openStreams = 0;
  private readonly network: Network;
  /** When the first report over it was taken in; null: none was. */
  countsSince: number | null = null;
  private openAtServer = true;
  private openAtAgent = true;

  constructor(network: Network, agent: Agent, server: Server) {
    this.network = network;
    this.agent = agent;
    this.server = server;
  }

  /** Whether the control plane has taken in by now that it was opened. */
  get isSettled(): boolean {
    if (!this.openAtServer || this.countsSince === null) return false;
    return this.server.world.timeline.now - this.countsSince > SETTLED_MS;
  }

  get isOpenAtAgent(): boolean {
    return this.openAtAgent;
  }

  get isOpen(): boolean {
    return this.openAtServer;
  }

  /** The control plane opens a stream: only wake-ups take this way here. */
  request(open: unknown): Promise<ReceivedAnswer> {
    const { kind } = open as OpenToAgent;
    if (kind !== "wake") throw new Error(`the simulation has no answer to ${kind}`);
    return new Promise((resolve, reject) => {
      if (!this.openAtServer) return reject(new Error("the link is closed"));
      this.network.carry(this, "wake", () => {
        if (!this.openAtAgent || this.agent.isOver) return;
        this.agent.syncSoon();
        this.network.carry(this, "wake", () => {
          this.server.world.timeline.awaits();
          resolve(NO_ANSWER);
        });
      });
      this.onClosed(() => reject(new Error("the link is closed")));
    });
  }

  receive(): void {
    throw new Error("a simulated link has no frames");
  }

  /** Syncs that came in and are not answered. */
  private readonly syncing = new Set<AbortController>();

  private giveUp(sync: AbortController): void {
    this.syncing.delete(sync);
    this.server.world.timeline.awaits();
    sync.abort(new Error("nobody waits for the answer any more"));
  }

  private readonly closedListeners: (() => void)[] = [];

  private onClosed(listener: () => void): void {
    // Of many wake-ups few are still waited for; those that were answered do not mind.
    if (this.closedListeners.length > 8) this.closedListeners.shift();
    this.closedListeners.push(listener);
  }

  /** The server's end closes; the agent hears of it if it can. */
  close(_reason: string, silentMs = 0): void {
    if (!this.openAtServer) return;
    this.openAtServer = false;
    for (const listener of this.closedListeners.splice(0)) listener();
    for (const sync of this.syncing) this.giveUp(sync);
    this.server.linkClosed(this, silentMs);
    this.network.tellClosed(this, () => this.closedAtAgent());
  }

  /** The agent's end closes; the server hears of it if it can. */
  closeAtAgent(_reason: string): void {
    if (!this.openAtAgent) return;
    this.openAtAgent = false;
    this.network.tellClosed(this, () => {
      this.server.world.timeline.awaits();
      this.close("the other end closed");
    });
  }

  /** The server's process is gone: nobody is left there to be told. */
  serverVanished(): void {
    this.openAtServer = false;
    this.closedListeners.length = 0;
    this.network.tellClosed(this, () => this.closedAtAgent());
  }

  closedAtAgent(): void {
    if (!this.openAtAgent) return;
    this.openAtAgent = false;
    this.agent.machine.after(0, () => this.agent.linkLost(this));
  }

  /**
   * One sync; `answered` gets null when it was refused or failed. It may never be called, or twice.
   * @returns gives it up: its answer is not waited for any more
   */
  sync(report: Report, answered: (answer: SyncAnswer | null) => void): () => void {
    const { server, agent, network } = this;
    const over = new AbortController();
    const back = (answer: SyncAnswer | null) => {
      network.carry(this, "sync", () => agent.machine.after(0, () => answered(answer)));
    };
    network.carry(this, "sync", () => {
      if (!this.openAtServer || !server.isAlive) return;
      server.world.timeline.awaits();
      this.syncing.add(over);
      const ended = server.sync(this, report, over.signal).finally(() => this.syncing.delete(over));
      ended.then(back, () => back(null));
    });
    return () => network.carry(this, "wake", () => this.giveUp(over));
  }
}
