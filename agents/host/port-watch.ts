import { readListeners } from "./inventory/ports.ts";
import { type PortHolder, socketHolder, takenText } from "./port-holder.ts";

/**
 * Looks who has the ports that were promised to jobs. One that a stranger has is told to the control plane as busy, like
 * any other, so that the job goes elsewhere instead of being tried there again and again.
 *
 * A port is looked at as long as its job runs, and engines have thousands of open files. So the sockets that were found
 * to be the job's are remembered: while the kernel lists the same ones, nobody else can have the port.
 */
export class PortWatch {
  readonly #foreign = new Set<number>();
  /** By port: the sockets of its job. */
  readonly #settled = new Map<number, { sockets: string; holder: PortHolder }>();
  readonly #changed: () => void;
  #reading: ReturnType<typeof readListeners> | null = null;

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
      this.#settled.delete(port);
      // Nothing of the job runs.
      const holder = this.#note(port, await socketHolder(await this.#socketsOn(port), []));
      if (holder.kind === "stranger") throw new Error(takenText(port, holder.name));
    }
  }

  /** @param members asked where it has to be found out: pids of the job's processes; null = they cannot be known */
  async holderOf(port: number, members: () => Promise<number[] | null>): Promise<PortHolder> {
    const inodes = await this.#socketsOn(port);
    const sockets = inodes.join();
    const settled = this.#settled.get(port);
    if (settled?.sockets === sockets) return settled.holder;
    const holder = await socketHolder(inodes, inodes.length === 0 ? [] : await members());
    if (holder.kind === "job" || holder.kind === "unknown") this.#settled.set(port, { sockets, holder });
    else this.#settled.delete(port);
    return this.#note(port, holder);
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

  /** Inodes of the sockets that listen there. Whoever asks at the same time shares one reading of the kernel's table. */
  async #socketsOn(port: number): Promise<string[]> {
    this.#reading ??= readListeners().finally(() => {
      this.#reading = null;
    });
    return (await this.#reading).flatMap((listener) => (listener.port === port ? [listener.inode] : [])).sort();
  }
}
