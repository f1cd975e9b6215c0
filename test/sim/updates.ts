import type { AgentUpdate } from "../../src/wire/index.ts";
import type { Installation } from "./installation.ts";
import type { Machine } from "./machine.ts";

/** How long a build takes to be fetched, on average. */
const FETCH_MS = 2_000;
/** Three tries, and what is waited between them: then one that cannot be had is given up. */
const FETCH_TRIES_MS = 40_000;
/** What keeps an agent up starts it again after this. */
const RESTART_MS = 1_500;
/** As in src/install/run-script.ts. */
const TRIAL_MS = 180_000;

interface UpdatesParts {
  machine: Machine;
  installation: Installation;
  /** Ends the agent's process. */
  end(): void;
  /** There is something new to report. */
  changed(): void;
  /** Whether the agent's process ends right here. */
  crashes(): boolean;
}

/** What one agent does about the build that it is to be: a model of agents/host/update/updater.ts in virtual time. */
export class Updates {
  private readonly parts: UpdatesParts;
  private order: number | null = null;
  private isBusy = false;
  private readonly waiting: AgentUpdate[] = [];

  constructor(parts: UpdatesParts) {
    this.parts = parts;
  }

  /** A report of this agent was accepted. */
  accepted(): void {
    if (!this.parts.crashes()) this.parts.installation.confirm();
  }

  told(update: AgentUpdate): void {
    const { installation } = this.parts;
    const known = [this.order, installation.state.failed?.order];
    if (update.build === installation.running || known.includes(update.order)) return;
    this.order = update.order;
    this.waiting.push(update);
    this.next();
  }

  private next(): void {
    const { machine, installation, end, changed, crashes } = this.parts;
    const update = this.isBusy ? undefined : this.waiting.shift();
    if (!update) return;
    const { build, order } = update;
    const { releases } = machine.world;
    this.isBusy = true;
    const canBeHad = releases.behaviourOf(build) !== "cannot be had";
    machine.after(canBeHad ? releases.random.span(FETCH_MS) : FETCH_TRIES_MS, () => {
      if (crashes()) return;
      if (canBeHad) {
        installation.putOnTrial(build, order);
        machine.world.rules.onTrial(machine);
        if (crashes()) return;
        end();
        restart(machine, RESTART_MS);
        return;
      }
      installation.fail(build, order, "it cannot be fetched");
      this.isBusy = false;
      changed();
      this.next();
    });
  }
}

/**
 * Starts the agent that is installed on a machine.
 * @returns whether it runs; one that ends at once is started again
 */
export function startInstalled(machine: Machine, installation: Installation): boolean {
  const { releases, coverage } = machine.world;
  const build = installation.start();
  const { trial } = installation;
  if (trial) {
    machine.after(TRIAL_MS, () => {
      if (installation.trial !== trial) return;
      installation.goBack(`the server had not accepted it after ${TRIAL_MS / 1_000} s`);
      machine.agent?.vanish();
      machine.agent = null;
      restart(machine, RESTART_MS);
    });
  }
  const behaviour = releases.behaviourOf(build);
  coverage.saw("build", behaviour);
  if (behaviour !== "ends at once") return true;
  restart(machine, RESTART_MS);
  return false;
}

function restart(machine: Machine, ms: number): void {
  machine.after(ms, () => machine.world.startAgent(machine));
}
