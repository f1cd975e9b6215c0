import { createHash } from "node:crypto";
import { type AgentBuilds, NO_BUILDS } from "../../src/core/hosts/agent-builds.ts";
import { Installation } from "./installation.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which servers give out agents. */
const SHARE = 0.35;
/** Share of the machines on which the agent was installed by the script. */
const INSTALLED_SHARE = 0.85;
/** Mean time between two upgrades of the server. */
const PAUSE_MS = 70_000;
/** How long the server before goes on beside a new one. */
const BESIDE_MS = 25_000;

const BEHAVIOURS = ["works", "works", "works", "ends at once", "is not accepted", "cannot be had"] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/** The builds of the agent that there are, and which of them the servers give out: upgraded, and put back, now and then. */
export class Releases {
  readonly random: Random;
  private readonly world: World;
  /** Whether servers give any out here. */
  readonly isOn: boolean;
  /** Whether a server keeps the builds that were given out before. */
  private readonly keeps: boolean;
  private readonly behaviours = new Map<string, Behaviour>();
  private current: string;
  private isOver = false;

  constructor(world: World, seed: number) {
    this.world = world;
    this.random = new Random(seed, "releases");
    this.isOn = this.random.chance(SHARE);
    this.keeps = this.random.chance(0.7);
    this.current = this.release("works");
  }

  /** What a server has that starts now. */
  get builds(): AgentBuilds {
    if (!this.isOn) return NO_BUILDS;
    const kept = this.keeps ? [...this.behaviours.keys()].filter((build) => build !== this.current) : [];
    return { server: this.current, kept, from: null };
  }

  /** How the agent was put on a machine, by a build that works; null = started by hand. */
  install(): Installation | null {
    if (!this.isOn || !this.random.chance(INSTALLED_SHARE)) return null;
    const working = [...this.behaviours].filter(([, behaviour]) => behaviour === "works").map(([build]) => build);
    return new Installation(working.includes(this.current) ? this.current : this.random.pick(working));
  }

  behaviourOf(build: string): Behaviour {
    return this.behaviours.get(build) ?? "works";
  }

  /** What a fleet's file says of it: a line of YAML. */
  fleetLine(): string {
    if (!this.isOn) return "";
    const pinned = `"${this.random.pick([...this.behaviours.keys()]).slice(0, 12)}"`;
    return `agent: { version: ${this.random.pick(["server", "server", "hold", pinned])} }\n`;
  }

  begin(): void {
    if (this.isOn) this.next();
  }

  end(): void {
    this.isOver = true;
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.upgrade();
      this.next();
    });
  }

  /** To something new, or back. The servers that there are end before the new one starts, or a while after it. */
  private upgrade(): void {
    const { world, random } = this;
    const isBack = random.chance(0.3);
    this.current = isBack ? random.pick([...this.behaviours.keys()]) : this.release(random.pick(BEHAVIOURS));
    world.note(
      "operator",
      `the server is another: build ${this.current.slice(0, 12)} ${this.behaviourOf(this.current)}`,
    );
    const before = world.servers;
    const end = () => {
      for (const server of before) server.crash();
    };
    if (random.chance(0.5)) end();
    else {
      world.startServer();
      world.faults.lasts(BESIDE_MS, end);
    }
  }

  private release(behaviour: Behaviour): string {
    const build = createHash("sha256").update(`build ${this.behaviours.size}`).digest("hex");
    this.behaviours.set(build, behaviour);
    return build;
  }
}
