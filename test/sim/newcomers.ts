import { join } from "./joining.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which machines are added. */
const SHARE = 0.35;
/** Mean time between two of them. */
const PAUSE_MS = 60_000;
/** Machines of a project that others are added to. */
const MACHINES_MAX = 6;

/** Machines that join while a project is at work. */
export class Newcomers {
  private readonly world: World;
  private readonly random: Random;
  private readonly projects: string[];
  private readonly hasContainers: () => boolean;
  private readonly fleet: () => string;
  private serial = 0;
  private isOver = false;

  constructor(world: World, seed: number, projects: string[], hasContainers: () => boolean, fleet: () => string) {
    this.world = world;
    this.random = new Random(seed, "newcomers");
    this.projects = projects;
    this.hasContainers = hasContainers;
    this.fleet = fleet;
  }

  begin(): void {
    if (this.random.chance(SHARE)) this.next();
  }

  end(): void {
    this.isOver = true;
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      const project = this.random.pick(this.projects);
      const machines = this.world.machines.filter(({ spec }) => spec.project === project);
      if (machines.length < MACHINES_MAX) this.add(project);
      this.next();
    });
  }

  private add(project: string): void {
    this.serial += 1;
    const about = {
      project,
      machineId: `new-${project}-${this.serial}`,
      fleet: this.fleet(),
      address: `10.8.${this.projects.indexOf(project)}.${this.serial}`,
      accelerators: this.random.int(1, 3),
      containers: this.hasContainers(),
    };
    join(this.world, about, (spec) => this.world.addMachine(spec));
  }
}
