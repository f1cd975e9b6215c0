import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import type { Asked, Users } from "./users.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which somebody looks after the hosts. */
const SHARE = 0.35;
/** Mean time between two things that they do. */
const PAUSE_MS = 25_000;
/** Hosts that a project keeps. */
const HOSTS_MIN = 2;

/** People who take hosts out, give them back, and remove them, with reasons of their own. */
export class Operators {
  private readonly world: World;
  private readonly users: Users;
  private readonly random: Random;
  private readonly projects: string[];
  /** Hosts that were asked to be removed, whatever became of it. */
  private readonly removed = new Set<string>();
  private isOver = false;

  constructor(world: World, users: Users, seed: number, projects: string[]) {
    this.world = world;
    this.users = users;
    // A stream of its own, so that most seeds mean what they have always meant.
    this.random = new Random(seed, "operators");
    this.projects = projects;
  }

  begin(): void {
    if (this.random.chance(SHARE)) this.next();
  }

  /** Some hosts are given back, and some stay as they are: then a drain has to have come as far as it can. */
  end(): void {
    this.isOver = true;
    for (const project of this.projects) {
      for (const { id, cordons } of this.world.ledger(project).state.tables.host.byId.values()) {
        if (cordons.operator && this.random.chance(0.5)) this.users.ask(project, { kind: "uncordon", host: id });
      }
    }
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.act(this.random.pick(this.projects));
      this.next();
    });
  }

  private act(project: string): void {
    const machines = this.world.machines.filter((machine) => machine.spec.project === project);
    const machine = this.random.pick(machines);
    const { host } = machine.spec;
    const draw = this.random.next();
    if (draw < 0.25) this.users.ask(project, { kind: "cordon", host, drain: false });
    else if (draw < 0.6) this.users.ask(project, { kind: "cordon", host, drain: true });
    else if (draw < 0.85) this.users.ask(project, { kind: "uncordon", host });
    else if (!this.removed.has(host) && this.staying(machines) > HOSTS_MIN) this.remove(machine);
  }

  private staying(machines: Machine[]): number {
    return new Set(machines.map(({ spec }) => spec.host).filter((host) => !this.removed.has(host))).size;
  }

  /** By force only what is gone for good; else what runs nothing, which is switched off once it is forgotten. */
  private remove({ spec: { project, host } }: Machine): void {
    const force = this.random.chance(0.5);
    this.removed.add(host);
    if (force) this.world.retire(project, host);
    const remove: Asked["ask"] = { kind: "remove", host, force };
    this.users.ask(project, remove, () => this.world.retire(project, host));
  }
}
