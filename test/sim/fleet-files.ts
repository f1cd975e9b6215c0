import type { Clusters } from "./clusters.ts";
import { Random } from "./random.ts";
import type { Users } from "./users.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which somebody writes a file for the fleet. */
const SHARE = 0.3;
/** Mean time between two of them. */
const PAUSE_MS = 80_000;

/** Fleets whose files divide their hosts, allow processes or not, and say that they are clusters: now this, now that. */
export class FleetFiles {
  private readonly world: World;
  private readonly users: Users;
  private readonly random: Random;
  private readonly projects: string[];
  private readonly clusters: Clusters;
  private isOver = false;

  constructor(world: World, users: Users, seed: number, projects: string[], clusters: Clusters) {
    this.world = world;
    this.users = users;
    this.random = new Random(seed, "files of fleets");
    this.projects = projects;
    this.clusters = clusters;
  }

  begin(): void {
    const isUsual = this.random.chance(SHARE);
    if (!isUsual && !this.clusters.areThere) return;
    for (const project of this.projects) for (const fleet of this.clusters.fleets) this.write(project, fleet);
    this.next();
  }

  end(): void {
    this.isOver = true;
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.write(this.random.pick(this.projects), this.clusters.fleet());
      this.next();
    });
  }

  private write(project: string, fleet: string): void {
    const blocks = this.random.pick(["auto", "1", "2"]);
    const processes = this.random.chance(0.8);
    const config = [
      `type: fleet\nname: ${fleet}\nblocks: ${blocks}\nallow: { processes: ${processes} }\n`,
      this.clusters.placementLine(),
      this.world.releases.fleetLine(),
    ].join("");
    this.users.ask(project, { kind: "fleet", config });
  }
}
