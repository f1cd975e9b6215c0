import type { DesiredJob } from "../../src/wire/index.ts";
import { type PortHolder, portHolder, takenText } from "./port-holder.ts";

/**
 * Looks who has the ports that were promised to jobs. One that a stranger has is told to the control plane as busy, like
 * any other, so that the job goes elsewhere instead of being tried there again and again.
 */
export class PortWatch {
  readonly #foreign = new Set<number>();
  readonly #changed: () => void;

  /** @param changed told when a promised port has turned out to be a stranger's, or to be so no more */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /**
   * Looks before a job is started whether its ports are free: an engine finds out minutes later, in words of its own.
   * @throws Error for people naming who has one
   */
  async assertFree(ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      // Nothing of the job runs.
      const holder = this.#note(port, await portHolder(port, []));
      if (holder.kind === "stranger") throw new Error(takenText(port, holder.name));
    }
  }

  /** @param members pids of the job's processes; null = they cannot be known */
  async holderOf({ port }: Pick<DesiredJob, "port">, members: number[] | null): Promise<PortHolder> {
    return this.#note(port, await portHolder(port, members));
  }

  /** Of ports promised to jobs, those that no stranger has. */
  own(ports: number[]): number[] {
    return ports.filter((port) => !this.#foreign.has(port));
  }

  #note(port: number, holder: PortHolder): PortHolder {
    const wasForeign = this.#foreign.delete(port);
    if (holder.kind === "stranger") this.#foreign.add(port);
    if (wasForeign !== this.#foreign.has(port)) this.#changed();
    return holder;
  }
}
