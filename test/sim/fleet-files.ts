import { Random } from "./random.ts";
import type { Users } from "./users.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which somebody writes a file for the fleet. */
const SHARE = 0.3;
/** Mean time between two of them. */
const PAUSE_MS = 80_000;

/** Fleets whose files divide their hosts, and allow processes or not: now this, now that. */
export class FleetFiles {
  private readonly world: World;
  private readonly users: Users;
  private readonly random: Random;
  private readonly projects: string[];
  private isOver = false;

  constructor(world: World, users: Users, seed: number, projects: string[]) {
    this.world = world;
    this.users = users;
    this.random = new Random(seed, "files of fleets");
    this.projects = projects;
  }

  begin(): void {
    if (!this.random.chance(SHARE)) return;
    for (const project of this.projects) this.write(project);
    this.next();
  }

  end(): void {
    this.isOver = true;
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.write(this.random.pick(this.projects));
      this.next();
    });
  }

  private write(project: string): void {
    const blocks = this.random.pick(["auto", "1", "2"]);
    const processes = this.random.chance(0.8);
    const config = `type: fleet\nname: default\nblocks: ${blocks}\nallow: { processes: ${processes} }\n${this.world.releases.fleetLine()}`;
    this.users.ask(project, { kind: "fleet", config });
  }
}
