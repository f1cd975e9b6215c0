import type { DesiredJob } from "../../src/wire/index.ts";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import type { StoreFate } from "./server-store.ts";
import { STRIKES } from "./strikes.ts";
import type { World } from "./world.ts";

/** Everything that can go wrong here. A run of seeds in which one of them never did has proved less than it seems. */
export const FAULT_KINDS = [
  "message lost",
  "message late",
  "message doubled",
  "host cut from the control plane",
  "host cut from its peers",
  "host does not reach another",
  "hosts do not reach each other",
  "host frozen",
  "host without power",
  "host cloned",
  "agent crashed",
  "agent crashed within a step",
  "engine crashed",
  "engine crashes again and again",
  "engine hung",
  "engine sick",
  "engine stubborn",
  "router crashed",
  "start failed",
  "accelerator hot",
  "accelerator gone",
  "Docker engine away",
  "server crashed",
  "no server for a while",
  "two servers at once",
  "all links cut",
  "server slow",
  "store slow",
  "store: busy",
  "store: request lost",
  "store: answer lost",
  "store: crash before",
  "store: crash after",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];
export type StoreTrouble = Exclude<StoreFate, "well">;

/** Mean time between two faults while they go on; drawn once for a seed. */
const PAUSE_MS = { min: 1_500, max: 25_000 };
/** Of calls to the database while it is unwell. */
const STORE_FAULT_SHARE = 0.15;
/** Of the steps of an agent that is about to crash within one. */
const AGENT_CRASH_SHARE = 0.1;

/** What goes wrong and when, until it is told to end. */
export class Faults {
  readonly world: World;
  readonly random: Random;
  /** Agents that crash within one of their next steps. */
  readonly crashing = new Set<Machine>();
  /** Machines on which nothing can be started. */
  readonly failing = new Set<Machine>();
  readonly storeTroubles = new Set<StoreTrouble>();
  slowStoreMs = 0;
  /** What a server takes to read one report, and to let one link in; 0 while its machine is fast. */
  readingMs = 0;
  /** Each seed has some kinds of faults and not others, so that some meet undisturbed. */
  private readonly kinds: FaultKind[];
  private readonly pauseMs: number;
  private over = false;
  private readonly ends = new Set<() => void>();

  constructor(world: World, seed: number, isOn: boolean) {
    this.world = world;
    this.random = new Random(seed, "faults");
    const share = this.random.pick([0.1, 0.3, 0.6, 1]);
    this.kinds = isOn ? FAULT_KINDS.filter(() => this.random.chance(share)) : [];
    this.pauseMs = this.random.int(PAUSE_MS.min, PAUSE_MS.max);
  }

  get isOver(): boolean {
    return this.over;
  }

  begin(): void {
    if (this.kinds.length === 0) return;
    this.world.timeline.after(this.random.span(this.pauseMs), () => {
      if (this.over) return;
      STRIKES[this.random.pick(this.kinds)](this);
      this.begin();
    });
  }

  /** Everything that went wrong is put right, and nothing goes wrong any more. */
  end(): void {
    this.over = true;
    for (const end of [...this.ends]) end();
  }

  /** Calls `end` after a while, or when all faults end. */
  lasts(meanMs: number, end: () => void): void {
    const once = () => {
      if (this.ends.delete(once)) end();
    };
    this.ends.add(once);
    this.world.timeline.after(this.random.span(meanMs), once);
  }

  /** @param readingMs 0: they are as fast as ever */
  slowServers(readingMs: number): void {
    this.readingMs = readingMs;
    for (const { reading } of this.world.servers) reading.setSlow(readingMs > 0);
  }

  happened(kind: FaultKind): void {
    this.world.coverage.saw("fault", kind);
  }

  tell(kind: FaultKind, where: string): void {
    this.happened(kind);
    this.world.note("fault", `${kind} (${where})`);
  }

  /** An agent that has ended is started again by its host. */
  restartAgent(machine: Machine): void {
    machine.after(this.random.span(3_000), () => this.world.startAgent(machine));
  }

  // What those ask to whom it happens.

  agentCrashes(machine: Machine): boolean {
    if (!this.crashing.has(machine) || !this.random.chance(AGENT_CRASH_SHARE)) return false;
    this.crashing.delete(machine);
    this.tell("agent crashed within a step", machine.name);
    this.restartAgent(machine);
    return true;
  }

  startFails(machine: Machine, job: DesiredJob): boolean {
    if (machine.engineIsAway && job.launch.runtime === "docker") return true;
    if (!this.failing.has(machine)) return false;
    this.tell("start failed", machine.name);
    return true;
  }

  storeSlowMs(): number {
    return this.slowStoreMs === 0 ? 0 : this.random.span(this.slowStoreMs);
  }

  storeFate(isWrite: boolean): StoreFate {
    if (this.storeTroubles.size === 0 || !this.random.chance(STORE_FAULT_SHARE)) return "well";
    const fate = this.random.pick([...this.storeTroubles]);
    if (fate.startsWith("crash") && !isWrite) return "well";
    this.tell(`store: ${fate}`, "store");
    return fate;
  }
}
