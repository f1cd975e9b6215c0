import type { SimLink } from "./link.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Mean time between two requests of callers. */
const PAUSE_MS = 700;
/** How long a worker works on one, on average: some last longer than a drain may. */
const WORK_MS = 3_000;
/** A router tries this many pairs of workers: SMG's default. */
const TRIES_MAX = 5;

/** Callers of the services: requests by the proxy over links to routers, and from there to workers. */
export class Traffic {
  served = 0;
  unserved = 0;
  private readonly world: World;
  private readonly random: Random;
  private readonly targets: { project: string; service: string }[];
  private serial = 0;
  private isOver = false;

  constructor(world: World, seed: number, projects: string[]) {
    this.world = world;
    this.random = new Random(seed, "traffic");
    this.targets = projects.flatMap((project) => ["alpha", "beta"].map((service) => ({ project, service })));
  }

  begin(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.send();
      this.begin();
    });
  }

  end(): void {
    this.isOver = true;
  }

  private send(): void {
    const { servers, timeline } = this.world;
    const { project, service } = this.random.pick(this.targets);
    if (servers.length === 0) return;
    const server = this.random.pick(servers);
    timeline.awaits();
    Promise.resolve(server.directory.service(project, service)).then(
      (entry) => {
        if (!entry || entry.targets.length === 0 || !server.isAlive) return;
        const { host, replica } = this.random.pick(entry.targets);
        const link = server.linkOf(project, host);
        timeline.after(this.random.int(1, 10), () => this.arrive(link, replica));
      },
      () => undefined,
    );
  }

  /** At the host's agent, which passes it on only to the replica that is meant. */
  private arrive(link: SimLink | null, replica: string): void {
    const machine = link?.agent.machine;
    const process = link?.isOpen && machine?.isRunning && !link.agent.isOver ? link.agent.target(replica) : null;
    if (!process?.serves) {
      this.unserved += 1;
      return;
    }
    this.world.rules.requested(process, replica);
    const workers = process.smg ? this.workersOf(process) : [process];
    if (workers.length === 0) {
      this.unserved += 1;
      return;
    }
    this.served += 1;
    this.serial += 1;
    this.work(process.smg ? [process, ...workers] : workers, this.serial, this.random.span(WORK_MS));
  }

  /** Whom SMG sends it to: a pair, or one worker; nobody when it has given up on all of a role. */
  private workersOf(router: Process): Process[] {
    const { smg } = router;
    if (smg === null) return [];
    const roles = new Set(smg.live().map((worker) => worker.role));
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const usable = smg.usable();
      const chosen = [...roles].flatMap((role) => {
        const candidates = usable.filter((worker) => worker.role === role);
        return candidates.length === 0 ? [] : [this.random.pick(candidates)];
      });
      if (chosen.length < roles.size) return [];
      const reached = chosen.map((worker) => this.world.reach(router.machine, worker.url));
      const ok = reached.every((process) => process?.serves);
      smg.tried(chosen, ok);
      if (ok) return reached as Process[];
    }
    return [];
  }

  private work(processes: Process[], request: number, ms: number): void {
    for (const process of processes) process.inFlight.add(request);
    this.world.timeline.after(ms, () => {
      for (const process of processes) process.inFlight.delete(request);
    });
  }
}
