import type { Agent } from "./agent.ts";
import { SimLink } from "./link.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

/** One way between a host and the control plane, and half of that between two hosts. */
const LATENCY_MS = { min: 1, max: 10 };
/** As in src/link/ws.ts: an end that has heard nothing for this long closes. */
const SILENT_MS = 15_000;
/** How long dialling takes until it is given up. */
const DIAL_TIMEOUT_MS = 10_000;

/** How bad the way between a host and the control plane is; all zero when it is well. */
export interface Quality {
  lost: number;
  doubled: number;
  /** Mean of what comes on top of the latency of each message, so that later ones overtake it. */
  slowMs: number;
}

const GOOD: Quality = { lost: 0, doubled: 0, slowMs: 0 };

/** What messages go through: between hosts and the control plane, and among hosts. */
export class Network {
  private readonly world: World;
  private readonly quality = new Map<Machine, Quality>();
  private readonly cutFromControl = new Set<Machine>();
  private readonly cutFromPeers = new Set<Machine>();
  /** Ways from one machine to another that nothing comes through, by their names. */
  private readonly cutWays = new Set<string>();
  private readonly links = new Set<SimLink>();
  /** What was sent while the way was cut: a connection brings it later, if it outlives that. */
  private readonly held = new Map<Machine, (() => void)[]>();

  constructor(world: World) {
    this.world = world;
  }

  setQuality(machine: Machine, quality: Quality | null): void {
    if (quality) this.quality.set(machine, quality);
    else this.quality.delete(machine);
  }

  cut(machine: Machine, from: "control" | "peers"): void {
    (from === "control" ? this.cutFromControl : this.cutFromPeers).add(machine);
    if (from === "control") this.watch(machine);
  }

  heal(machine: Machine): void {
    this.cutFromControl.delete(machine);
    this.cutFromPeers.delete(machine);
    this.quality.delete(machine);
    for (const deliver of this.held.get(machine)?.splice(0) ?? []) this.world.timeline.after(LATENCY_MS.max, deliver);
  }

  /** From now on the one does not reach the other. @returns mends that */
  cutWay(from: Machine, to: Machine): () => void {
    const way = wayOf(from, to);
    this.cutWays.add(way);
    return () => this.cutWays.delete(way);
  }

  /** Whether one machine reaches another. One always reaches itself. */
  joins(from: Machine, to: Machine): boolean {
    return (
      from === to || !(this.cutFromPeers.has(from) || this.cutFromPeers.has(to) || this.cutWays.has(wayOf(from, to)))
    );
  }

  /** Whether a connection to an address is made or refused, and does not end in silence. */
  connects(from: Machine, address: string): boolean {
    const to = this.world.machines.find(({ spec }) => spec.address === address);
    return to?.isRunning === true && this.joins(from, to);
  }

  /** Links that nothing comes over are closed after a while at both ends. Call it when a machine goes silent. */
  watch(machine: Machine): void {
    const { boot } = machine;
    const silentMs = SILENT_MS + this.world.random.int(0, 5_000);
    this.world.timeline.after(silentMs, () => {
      if (boot === machine.boot && machine.isRunning && !this.cutFromControl.has(machine)) return;
      for (const link of [...this.links]) {
        if (link.agent.machine !== machine) continue;
        this.links.delete(link);
        this.world.timeline.awaits();
        link.close("nothing came over the link", silentMs);
        link.closedAtAgent();
      }
    });
  }

  /**
   * Brings a message to the other end: at once or late, and a part of a sync also twice or never, since its other
   * carrier is one HTTP request each.
   */
  carry(link: SimLink, part: "sync" | "wake", deliver: () => void): void {
    const { machine } = link.agent;
    const { random, faults } = this.world;
    const quality = this.quality.get(machine) ?? GOOD;
    if (this.cutFromControl.has(machine)) {
      const held = this.held.get(machine) ?? [];
      this.held.set(machine, held);
      held.push(deliver);
      return;
    }
    if (part === "sync" && random.chance(quality.lost)) {
      faults.happened("message lost");
      return;
    }
    if (quality.slowMs > 0) faults.happened("message late");
    const latency = () => random.int(LATENCY_MS.min, LATENCY_MS.max) + (quality.slowMs && random.span(quality.slowMs));
    this.world.timeline.after(latency(), deliver);
    if (part === "wake" || !random.chance(quality.doubled)) return;
    faults.happened("message doubled");
    this.world.timeline.after(latency(), deliver);
  }

  /** Tells the other end that this one closed. Who is not reached finds out by the silence. */
  tellClosed(link: SimLink, tell: () => void): void {
    this.links.delete(link);
    const ms = this.cutFromControl.has(link.agent.machine) ? SILENT_MS : this.world.random.int(1, 10);
    this.world.timeline.after(ms, tell);
  }

  /** Opens a link to one of the servers that live, if any is reached. */
  dial(agent: Agent, opened: (link: SimLink) => void, failed: () => void): void {
    const { machine } = agent;
    const fail = (ms: number) => machine.after(ms, failed);
    if (this.cutFromControl.has(machine)) return void fail(DIAL_TIMEOUT_MS);
    const servers = this.world.servers.filter((server) => server.isAlive);
    if (servers.length === 0) return void fail(5);
    const server = this.world.random.pick(servers);
    this.world.timeline.after(this.world.random.int(5, 30), () => {
      if (agent.isOver) return;
      if (!server.isAlive || !machine.isRunning) return void fail(5);
      let isAnswered = false;
      const answered = (isAdmitted: boolean) => {
        if (agent.isOver || isAnswered) return;
        isAnswered = true;
        giveUp();
        if (!isAdmitted || !server.isAlive || !machine.isRunning) return void fail(5);
        const link = new SimLink(this, agent, server);
        this.links.add(link);
        server.linkOpened(link);
        machine.after(5, () => (link.isOpenAtAgent ? opened(link) : failed()));
      };
      // A server that ends meanwhile answers nobody.
      const giveUp = machine.after(DIAL_TIMEOUT_MS, () => answered(false));
      this.world.timeline.awaits();
      server.admits(machine.spec).then(answered, () => answered(false));
    });
  }
}

function wayOf(from: Machine, to: Machine): string {
  return `${from.name} > ${to.name}`;
}
