import { join } from "./joining.ts";
import { leave, TELL_MS } from "./leaving.ts";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import type { Users } from "./users.ts";
import type { World } from "./world.ts";

/** Share of the seeds in which somebody looks after the hosts. */
const SHARE = 0.35;
/** Mean time between two things that they do. */
const PAUSE_MS = 25_000;
/** How long a machine is lost that is removed too soon, before and after, on average. */
const LOST_FOR_MS = 15_000;
/** And how long it runs on as nobody's host. */
const UNKNOWN_FOR_MS = 40_000;
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
    else if (draw < 0.8) this.users.ask(project, { kind: "uncordon", host });
    else if (!this.removed.has(host) && this.staying(machines) > HOSTS_MIN) this.remove(machine);
  }

  private staying(machines: Machine[]): number {
    return new Set(machines.map(({ spec }) => spec.host).filter((host) => !this.removed.has(host))).size;
  }

  private remove(machine: Machine): void {
    const { project, host } = machine.spec;
    this.removed.add(host);
    const retire = () => this.world.retire(project, host);
    const draw = this.random.next();
    // What runs nothing; it is switched off once it is forgotten, or another host from then on.
    if (draw < 0.25) this.askToRemove(machine, false, retire);
    else if (draw < 0.32) this.askToRemove(machine, false, () => this.joinAgain(machine));
    // One that runs something, which is installed anew at once.
    else if (draw < 0.4) this.askToRemove(machine, true, () => this.joinAgain(machine));
    else if (draw < 0.55) {
      leave(this.world, machine);
      // Where the server was not told somebody has to tell it; where it was this is refused.
      this.world.timeline.after(TELL_MS, () => this.askToRemove(machine, true));
    } else if (draw < 0.75) {
      retire();
      this.askToRemove(machine, true);
    } else this.removeTooSoon(machine);
  }

  private askToRemove({ spec: { project, host } }: Machine, force: boolean, done?: () => void): void {
    this.users.ask(project, { kind: "remove", host, force }, done);
  }

  /** One that is off or cut off for a while, or that nothing is wrong with, is taken for gone for good. */
  private removeTooSoon(machine: Machine): void {
    const { network, faults, timeline } = this.world;
    const how = this.random.pick(["off", "cut", "alive"]);
    if (how === "off") machine.powerOff();
    if (how === "cut") network.cut(machine, "control");
    network.watch(machine);
    timeline.after(this.random.span(LOST_FOR_MS), () => {
      if (!this.isOver) this.askToRemove(machine, true);
    });
    faults.lasts(3 * LOST_FOR_MS, () => this.comesBack(machine));
  }

  /** It runs on with what it has, unknown to anybody, until somebody empties it and lets it join again. */
  private comesBack(machine: Machine): void {
    const { world } = this;
    world.network.heal(machine);
    machine.powerOn();
    world.startAgent(machine);
    if (!world.isMember(machine)) world.coverage.saw("host", "back after its removal");
    world.timeline.after(this.random.span(UNKNOWN_FOR_MS), () => {
      if (!this.isOver && !world.isMember(machine)) this.joinAgain(machine);
    });
  }

  private joinAgain({ spec }: Machine): void {
    const { host, credential: _, ...about } = spec;
    this.world.retire(spec.project, host);
    join(this.world, about, (spec) => this.world.addMachine(spec));
  }
}
