import type { RuntimeJob } from "../../agents/host/runtime/types.ts";
import type { DesiredJob, JobEnd } from "../../src/wire/index.ts";
import type { Agent, Saved } from "./agent.ts";
import type { Installation } from "./installation.ts";
import { Parts } from "./parts.ts";
import type { Process } from "./process.ts";
import type { Cancel } from "./timeline.ts";
import type { World } from "./world.ts";

/** What a machine is made of; the same for its whole life. */
export interface MachineSpec {
  project: string;
  /** Id of the host. */
  host: string;
  /** What its agent says which machine it is; a clone has another one. */
  machineId: string;
  fleet: string;
  address: string;
  accelerators: number;
  /** Whether it has a Docker engine. */
  containers: boolean;
  /** What its agent shows when it dials. */
  credential: string;
}

/** A machine: processes that live until it loses power, a disk that an agent finds again, and time of its own. */
export class Machine {
  readonly world: World;
  readonly spec: MachineSpec;
  readonly name: string;
  readonly parts: Parts;
  /** Where its agent was installed; null for one that was started by hand. */
  readonly installation: Installation | null;
  /** Its Docker engine cannot be used now. */
  engineIsAway = false;
  readonly processes = new Map<string, Process>();
  agent: Agent | null = null;
  /** What the agent has saved. It belongs to one boot. */
  disk: Saved | null = null;
  /** Counts boots. */
  boot = 1;
  /**
   * Decisions of its agent are this far apart at least. A burst of answers is one decision, after 10 ms as in
   * agents/host/supervisor.ts; a machine that is busy takes longer.
   */
  readonly roundGapMs: number;
  private powered = true;
  private isFrozen = false;
  private isRetired = false;
  private readonly delayed: (() => void)[] = [];
  /** Its clock since boot is not anyone else's. */
  private readonly clockOffsetMs: number;

  constructor(world: World, spec: MachineSpec, name: string) {
    this.world = world;
    this.spec = spec;
    this.name = name;
    this.parts = new Parts(spec.accelerators);
    this.installation = world.releases.install();
    this.roundGapMs = world.random.pick([10, 100, 250]);
    this.clockOffsetMs = world.random.int(0, 10_000_000) - world.timeline.now;
  }

  get isOn(): boolean {
    return this.powered;
  }

  get frozen(): boolean {
    return this.isFrozen;
  }

  /** Whether what runs on it can do anything now. */
  get isRunning(): boolean {
    return this.powered && !this.isFrozen;
  }

  /** Milliseconds by the clock of the machine, which only goes forward. */
  clock(): number {
    return this.world.timeline.now + this.clockOffsetMs;
  }

  /** Calls `action` after a while; when it is frozen then, once it thaws; never when it lost power meanwhile. */
  after(ms: number, action: () => void): Cancel {
    const { boot } = this;
    let cancelled = false;
    const run = () => {
      if (cancelled || boot !== this.boot || !this.powered) return;
      if (this.isFrozen) this.delayed.push(run);
      else action();
    };
    const cancel = this.world.timeline.after(ms, run);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
    for (const action of this.delayed.splice(0)) action();
  }

  /** Everything on it is gone at once; only its disk stays. */
  powerOff(): void {
    this.powered = false;
    this.isFrozen = false;
    this.delayed.length = 0;
    this.agent?.vanish();
    this.agent = null;
    for (const process of this.processes.values()) process.vanish();
    this.processes.clear();
  }

  /** Off, and never on again. */
  retire(): void {
    this.powerOff();
    this.isRetired = true;
  }

  powerOn(): void {
    if (this.powered || this.isRetired) return;
    this.boot += 1;
    this.powered = true;
    this.parts.boot();
  }

  /** Every job that its runtime has, running or ended. */
  list(): RuntimeJob[] {
    return [...this.processes.values()].map((process) => ({
      job: process.job,
      replica: process.replica,
      attempt: process.attempt,
      state: process.end === null ? "running" : "ended",
      incarnation: process.incarnation,
      ageMs: this.world.timeline.now - process.startedAt,
      end: process.end,
    }));
  }

  /** Starts an attempt of a job. @throws Error when an earlier one still lives */
  start(job: DesiredJob, attempt: number): void {
    const before = this.processes.get(job.job);
    if (before && before.end === null) throw new Error("an earlier attempt still runs");
    this.processes.set(job.job, this.world.spawn(this, job, attempt));
  }

  /** The process that answers on a port. */
  listener(port: number): Process | null {
    for (const process of this.processes.values()) {
      if (process.end === null && process.port === port && process.listens) return process;
    }
    return null;
  }

  remove(job: string): void {
    this.processes.get(job)?.kill();
    this.processes.delete(job);
  }

  ended(process: Process, end: JobEnd): void {
    this.world.note(this.name, `${process.job} #${process.attempt} ended: ${end.signal ?? end.exitCode}`);
    this.agent?.look();
  }
}
